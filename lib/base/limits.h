/* SPDX-License-Identifier: ISC
 *
 * Every limit on what the outside may make us hold or wait for, with its reason.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
	LIMIT_POLICY = 65536,	   /* octets of a policy body (RFC 8461 3.3: 64 KiB) */
	LIMIT_ID = 32,		   /* octets of an id (RFC 8461 3.1) */
	LIMIT_FIELD_NAME = 32,	   /* octets of an extension's name (RFC 8461 3.1, 3.2) */
	LIMIT_MAX_AGE_DIGITS = 10, /* RFC 8461 3.2: 1*10DIGIT */
	LIMIT_MAX_AGE = 31557600,  /* seconds (RFC 8461 3.2: about one year) */
	LIMIT_TXT_SET = 4096,	   /* octets of all TXT strings at one name together */
	LIMIT_TXT_RECORDS = 64,	   /* TXT records at one name */
	LIMIT_MX_HOSTS = 128,	   /* MX records of one domain */
	LIMIT_ADDRESSES = 16,	   /* addresses of a policy host that are handed on */
	LIMIT_CNAME_CHAIN = 8,	   /* links that are followed */
	LIMIT_CERTIFICATES = 12,   /* certificates of one chain */
	LIMIT_CERTIFICATE = 65536, /* octets of one certificate, DER */
	LIMIT_LOG_REMOTE = 200,	   /* octets of remote text in one log line */
	LIMIT_DETAIL = 512,	   /* octets of an MTA's own words in a record */
	LIMIT_RUA = 16,		   /* report addresses of one TLSRPT record that are kept */
	LIMIT_FRAME = 128 * 1024,  /* octets of one message on a helper's pipe */

	LIMIT_ABSENT_MIN = 60,	  /* seconds "answered: absent" is believed, at least */
	LIMIT_ABSENT_MAX = 3600,  /* and at most */
	LIMIT_AGREED_MIN = 60,	  /* seconds an agreeing TXT record is not asked again */
	LIMIT_AGREED_MAX = 86400, /* RFC 8461 3.3: checked daily or oftener */
	LIMIT_RETRY_ID = 300,	  /* seconds a failed id is left alone (RFC 8461 3.3) */
	LIMIT_RETRY_GET = 10,	  /* seconds between two GETs to one domain, whatever the id */
	LIMIT_KEEP_EXPIRED = 30 * 86400, /* seconds an expired row stays (a wrong clock) */
	LIMIT_STRIKE = 86400,		 /* seconds a strike counts */
	LIMIT_POLL_MIN = 5,		 /* ms between two looks at another's fetch, first */
	LIMIT_POLL_MAX = 50,		 /* ms, later */
	LIMIT_ADDRESS_WAIT = 50,	 /* ms for the other family's addresses (RFC 8305 3) */
	LIMIT_LOOKUPS = 1024,		 /* look-ups of one context under way at once */
};

#endif
