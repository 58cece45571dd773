/* SPDX-License-Identifier: ISC
 *
 * The answer of a look-up, and the public getters that read it.
 */
#include "engine/policy.h"

#include <stdlib.h>

#include "base/mem.h"

struct mtasts_policy *
policy_new(const struct domain *domain, enum mtasts_state state)
{
	struct mtasts_policy *policy = mem_zero(1, sizeof *policy);

	if (policy == NULL)
		return NULL;
	policy->domain = *domain;
	policy->state = state;
	return policy;
}

void
policy_publish(struct mtasts_policy *policy, enum mtasts_source source, struct policyfile *file)
{
	policy->state = MTASTS_PUBLISHED;
	policy->source = source;
	policy->mode = file->mode;
	policy->file = file;
}

/* What was parsed once parses again: the lines are the body but for blanks at their ends. */
static struct policyfile *
file_copy(const struct policyfile *file)
{
	struct policyfile *copy = NULL;
	struct parse_error error;
	struct buf body;
	size_t cap = 1;

	for (size_t i = 0; i < file->n_lines; i++)
		cap += file->lines[i].n + 1;
	char *storage = mem_zero(cap, 1);
	if (storage == NULL)
		return NULL;
	buf_init(&body, storage, cap);
	for (size_t i = 0; i < file->n_lines; i++) {
		buf_put(&body, file->lines[i]);
		buf_putc(&body, '\n');
	}
	int r = policyfile_parse(span_make(body.p, body.n), NULL, &copy, &error);
	free(storage);
	return r == 0 ? copy : NULL;
}

struct mtasts_policy *
policy_copy(const struct mtasts_policy *policy)
{
	struct mtasts_policy *copy = mem_zero(1, sizeof *copy);

	if (copy == NULL)
		return NULL;
	*copy = *policy;
	if (policy->file == NULL)
		return copy;
	copy->file = file_copy(policy->file);
	if (copy->file == NULL) {
		free(copy);
		return NULL;
	}
	return copy;
}

void
policy_free(struct mtasts_policy *policy)
{
	if (policy == NULL)
		return;
	policyfile_free(policy->file);
	free(policy);
}

bool
policy_enforces(const struct mtasts_policy *policy)
{
	return policy->state == MTASTS_PUBLISHED && policy->mode == MTASTS_ENFORCE;
}

/* A policy is never NULL by contract; where it is one, what is said is on the safe side. */

void
mtasts_policy_free(struct mtasts_policy *policy)
{
	policy_free(policy);
}

struct mtasts_policy *
mtasts_policy_copy(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy_copy(policy) : NULL;
}

const char *
mtasts_policy_domain(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->domain.name : "";
}

enum mtasts_state
mtasts_policy_state(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->state : MTASTS_FAULT;
}

enum mtasts_mode
mtasts_policy_mode(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->mode : MTASTS_ENFORCE;
}

enum mtasts_source
mtasts_policy_source(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->source : MTASTS_FROM_NOWHERE;
}

enum mtasts_finding
mtasts_policy_finding(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->finding : MTASTS_NOTHING_WRONG;
}

const char *
mtasts_policy_reason(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->reason : "";
}

const char *
mtasts_policy_id(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->id : "";
}

int64_t
mtasts_policy_fetched(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->fetched_at : 0;
}

int64_t
mtasts_policy_expires(const struct mtasts_policy *policy)
{
	return policy != NULL ? policy->expires : 0;
}

size_t
mtasts_policy_mx_count(const struct mtasts_policy *policy)
{
	return policy != NULL && policy->file != NULL ? policy->file->n_mx : 0;
}

const char *
mtasts_policy_mx(const struct mtasts_policy *policy, size_t i)
{
	return i < mtasts_policy_mx_count(policy) ? policy->file->mx[i].name : NULL;
}
