/* SPDX-License-Identifier: ISC */
#include "opensmtpd/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "opensmtpd/duct.h"

enum {
	STEADY = 5 * 1000,     /* ms of life after which an end is the first one again */
	PAUSE_FIRST = 1000,    /* ms */
	PAUSE_MAX = 60 * 1000, /* ms */
	REAP = 20,	       /* ms between two looks for the end of one that was killed */
	REAPS = 250	       /* then it is left to itself: it hangs within the kernel */
};

struct keeper {
	struct loop *loop;
	struct keeper_config config;
	const struct log *log;
	struct duct *duct; /* NULL: nobody is spoken to */
	pid_t pid;	   /* 0: none */
	const char *why;   /* it is to go, or has gone */
	int64_t started_ms;
	unsigned n_quick; /* ends within STEADY, one after the other */
	unsigned n_reaps;
	uint64_t ping;		   /* number of the last one */
	struct loop_timer next;	   /* of it: start, reap */
	struct loop_timer pinging; /* the next ping, or the end of the wait for its answer */
	bool is_ping_out;
};

/* ---- the end of one ---- */

static int64_t
pause_of(const struct keeper *keeper)
{
	unsigned n = keeper->n_quick;

	if (n <= 1)
		return 0;
	if (n > 8)
		return PAUSE_MAX;
	int64_t pause = (int64_t)PAUSE_FIRST << (n - 2);
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static void
words_of(int status, struct buf *out)
{
	if (WIFSIGNALED(status))
		buf_printf(out, "signal %d", WTERMSIG(status));
	else if (WIFEXITED(status))
		buf_printf(out, "status %d", WEXITSTATUS(status));
}

static void
timer_set(struct keeper *keeper, struct loop_timer *timer, int64_t in_ms)
{
	if (loop_timer_set(keeper->loop, timer, in_ms) != 0)
		log_put(keeper->log, MTASTS_LOG_ERROR, "worker reason=\"out of memory\"");
}

static void
ended(struct keeper *keeper, const char *how)
{
	int64_t lived_ms = loop_now_ms(keeper->loop) - keeper->started_ms;

	keeper->n_quick = lived_ms < STEADY ? keeper->n_quick + 1 : 1;
	int64_t pause = pause_of(keeper);
	log_put(keeper->log, MTASTS_LOG_WARNING,
	    "worker pid=%ld end=\"%s\" reason=\"%s\" lived=%llds again=%llds", (long)keeper->pid,
	    how, keeper->why, (long long)(lived_ms / 1000), (long long)(pause / 1000));
	keeper->pid = 0;
	timer_set(keeper, &keeper->next, pause);
}

static void
reap(struct keeper *keeper)
{
	char words[32];
	struct buf how;
	int status = 0;
	pid_t r = waitpid(keeper->pid, &status, WNOHANG);

	buf_init(&how, words, sizeof words);
	if (r == keeper->pid)
		words_of(status, &how);
	else if (r < 0 && errno == ECHILD)
		buf_puts(&how, "not known");
	else if (++keeper->n_reaps > REAPS)
		buf_puts(&how, "not yet");
	if (how.n != 0) {
		ended(keeper, how.p);
		return;
	}
	(void)kill(keeper->pid, SIGKILL);
	timer_set(keeper, &keeper->next, REAP);
}

/* From the loop, never from inside a call of the owner's. */
static void
end(struct keeper *keeper, const char *why)
{
	keeper->why = why;
	duct_free(keeper->duct);
	keeper->duct = NULL;
	keeper->n_reaps = 0;
	loop_timer_end(keeper->loop, &keeper->pinging);
	keeper->config.gone(keeper->config.arg);
	reap(keeper);
}

static void
on_broken(void *arg, const char *why)
{
	end(arg, why);
}

/* ---- whether it is there ---- */

static void
on_pinging(void *arg)
{
	struct keeper *keeper = arg;
	struct channel_message ping = { .kind = CHANNEL_PING, .id = keeper->ping + 1 };

	if (keeper->why != NULL) {
		end(keeper, keeper->why);
		return;
	}
	if (keeper->is_ping_out) {
		end(keeper, "does not answer");
		return;
	}
	keeper->ping++;
	keeper->is_ping_out = true;
	timer_set(keeper, &keeper->pinging, keeper->config.hang_ms);
	(void)keeper_tell(keeper, &ping);
}

static void
on_message(void *arg, const struct channel_message *message)
{
	struct keeper *keeper = arg;

	if (message->kind == CHANNEL_PING && message->id == keeper->ping) {
		keeper->is_ping_out = false;
		if (keeper->why == NULL)
			timer_set(keeper, &keeper->pinging, keeper->config.ping_ms);
	} else if (message->kind == CHANNEL_ANSWER) {
		keeper->config.message(keeper->config.arg, message);
	}
}

int
keeper_tell(struct keeper *keeper, const struct channel_message *message)
{
	if (keeper->duct == NULL || keeper->why != NULL)
		return -1;
	if (duct_send(keeper->duct, message) == 0)
		return 0;
	keeper->why = "takes nothing any more";
	timer_set(keeper, &keeper->pinging, 0);
	return -1;
}

/* ---- the beginning of one ---- */

static int
channel_open(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static void
started(struct keeper *keeper, pid_t pid, struct duct *duct)
{
	keeper->pid = pid;
	keeper->duct = duct;
	keeper->why = NULL;
	keeper->is_ping_out = false;
	keeper->started_ms = loop_now_ms(keeper->loop);
	timer_set(keeper, &keeper->pinging, keeper->config.ping_ms);
}

static void
start_failed(struct keeper *keeper)
{
	log_put(keeper->log, MTASTS_LOG_ERROR, "worker reason=\"cannot be started: %s\"",
	    strerror(errno));
	timer_set(keeper, &keeper->next, PAUSE_FIRST);
}

static void
start(struct keeper *keeper)
{
	const struct duct_events events = { keeper, on_message, on_broken };
	int fds[2];

	if (channel_open(fds) != 0) {
		start_failed(keeper);
		return;
	}
	struct duct *duct = duct_new(keeper->loop, fds[0], &events);
	pid_t pid = duct == NULL ? -1 : fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(keeper->config.work(keeper->config.arg, fds[1]));
	}
	if (pid < 0)
		start_failed(keeper);
	close(fds[1]);
	if (pid > 0) {
		started(keeper, pid, duct);
		return;
	}
	if (duct == NULL)
		close(fds[0]);
	duct_free(duct);
}

static void
on_next(void *arg)
{
	struct keeper *keeper = arg;

	if (keeper->pid != 0) {
		reap(keeper);
		return;
	}
	start(keeper);
	if (keeper->pid != 0)
		keeper->config.again(keeper->config.arg);
}

struct keeper *
keeper_new(struct loop *loop, const struct keeper_config *config, const struct log *log)
{
	struct keeper *keeper = mem_zero(1, sizeof *keeper);

	if (keeper == NULL)
		return NULL;
	keeper->loop = loop;
	keeper->config = *config;
	keeper->log = log;
	keeper->next = (struct loop_timer){ .fn = on_next, .arg = keeper };
	keeper->pinging = (struct loop_timer){ .fn = on_pinging, .arg = keeper };
	start(keeper);
	return keeper;
}

void
keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	loop_timer_end(keeper->loop, &keeper->next);
	loop_timer_end(keeper->loop, &keeper->pinging);
	duct_free(keeper->duct);
	free(keeper);
}
