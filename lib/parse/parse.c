/* SPDX-License-Identifier: ISC */
typedef int layer_parse;
