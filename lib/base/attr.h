/* SPDX-License-Identifier: ISC
 *
 * What compilers offer beyond C11, in one place.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#if defined(__GNUC__)
#define ATTR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define ATTR_MUST_USE		__attribute__((warn_unused_result))
#else
#define ATTR_PRINTF(fmt, first)
#define ATTR_MUST_USE
#endif

#endif
