/* SPDX-License-Identifier: ISC
 *
 * Words of the public enums.  The switches have no default: a new value without a word does not
 * compile.  What stands behind a switch is for values that are none of the enum.
 */
#include "base/err.h"

#include <stddef.h>

const char *
mtasts_strerror(int error)
{
	switch ((enum mtasts_error)error) {
	case MTASTS_OK:
		return "success";
	case MTASTS_ENOMEM:
		return "out of memory";
	case MTASTS_EINVAL:
		return "invalid argument";
	case MTASTS_ENAME:
		return "not a domain name that can have a policy";
	case MTASTS_ECONFIG:
		return "configuration refused";
	case MTASTS_ECACHE:
		return "state of this host is unreadable";
	case MTASTS_EREPORT:
		return "TLSRPT record could not be written";
	case MTASTS_EFORK:
		return "context was made by another process";
	case MTASTS_EBUSY:
		return "too many lookups in progress";
	}
	return "unknown error";
}

const char *
mtasts_finding_token(enum mtasts_finding finding)
{
	/* RFC 8460 4.3 */
	switch (finding) {
	case MTASTS_NOTHING_WRONG:
		return NULL;
	case MTASTS_STARTTLS_NOT_SUPPORTED:
		return "starttls-not-supported";
	case MTASTS_CERTIFICATE_HOST_MISMATCH:
		return "certificate-host-mismatch";
	case MTASTS_CERTIFICATE_EXPIRED:
		return "certificate-expired";
	case MTASTS_CERTIFICATE_NOT_TRUSTED:
		return "certificate-not-trusted";
	case MTASTS_VALIDATION_FAILURE:
		return "validation-failure";
	case MTASTS_STS_POLICY_FETCH_ERROR:
		return "sts-policy-fetch-error";
	case MTASTS_STS_POLICY_INVALID:
		return "sts-policy-invalid";
	case MTASTS_STS_WEBPKI_INVALID:
		return "sts-webpki-invalid";
	case MTASTS_TLSA_INVALID:
		return "tlsa-invalid";
	case MTASTS_DNSSEC_INVALID:
		return "dnssec-invalid";
	case MTASTS_DANE_REQUIRED:
		return "dane-required";
	}
	return "validation-failure";
}

const char *
state_name(enum mtasts_state state)
{
	switch (state) {
	case MTASTS_PUBLISHED:
		return "published";
	case MTASTS_ABSENT:
		return "absent";
	case MTASTS_UNKNOWN:
		return "unknown";
	case MTASTS_FAULT:
		return "fault";
	}
	return "?";
}

const char *
mode_name(enum mtasts_mode mode)
{
	switch (mode) {
	case MTASTS_NONE:
		return "none";
	case MTASTS_TESTING:
		return "testing";
	case MTASTS_ENFORCE:
		return "enforce";
	}
	return "?";
}

const char *
source_name(enum mtasts_source source)
{
	switch (source) {
	case MTASTS_FROM_NOWHERE:
		return "-";
	case MTASTS_FROM_NETWORK:
		return "network";
	case MTASTS_FROM_CACHE:
		return "cache";
	case MTASTS_FROM_STALE:
		return "stale";
	}
	return "?";
}

int
mode_of(struct span word, enum mtasts_mode *mode)
{
	for (enum mtasts_mode m = MTASTS_NONE; m <= MTASTS_ENFORCE; m++) {
		if (span_is(word, mode_name(m))) {
			*mode = m;
			return 0;
		}
	}
	return -1;
}

int
finding_of(struct span word, enum mtasts_finding *finding)
{
	if (word.n == 0 || span_is(word, "-")) {
		*finding = MTASTS_NOTHING_WRONG;
		return 0;
	}
	for (enum mtasts_finding f = MTASTS_STARTTLS_NOT_SUPPORTED; f <= MTASTS_DANE_REQUIRED;
	     f++) {
		if (span_is(word, mtasts_finding_token(f))) {
			*finding = f;
			return 0;
		}
	}
	return -1;
}
