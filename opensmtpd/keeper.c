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
	STEADY = 5 * 1000,	/* ms of life after which an end is the first one again */
	PAUSE_FIRST = 1000,	/* ms */
	PAUSE_MAX = 60 * 1000,	/* ms */
	REAP = 20,		/* ms between two looks for the end of one */
	REAPS_LEFT = 50,	/* looks until one that left by itself is killed */
	REAPS = 250,		/* then it is left to itself: it hangs within the kernel */
	LEAVE_MAX = 3600 * 1000 /* ms that a relieved one may take to finish */
};

/* A worker process, and our end of its channel. */
struct hand {
	struct keeper *keeper;
	struct duct *duct; /* NULL: it is not spoken to */
	pid_t pid;	   /* 0: none */
	const char *why;   /* it is to go, or has gone */
	bool is_relieved;
	int64_t started_ms;
	unsigned n_reaps;
	struct loop_timer ending; /* it is to go now; or the next look for its end */
};

struct keeper {
	struct loop *loop;
	struct keeper_config config;
	const struct log *log;
	struct hand hands[2];
	struct hand *now, *other; /* the other one: none, or relieved */
	unsigned n_quick;	  /* ends within STEADY, one after the other */
	uint64_t ping;		  /* number of the last one */
	bool is_ping_out;
	struct loop_timer next;	   /* start */
	struct loop_timer pinging; /* the next ping, or the end of the wait for its answer */
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
ended(struct hand *hand, const char *how)
{
	struct keeper *keeper = hand->keeper;
	int64_t lived_ms = loop_now_ms(keeper->loop) - hand->started_ms, pause = 0;
	pid_t pid = hand->pid;

	hand->pid = 0;
	if (hand->is_relieved) {
		log_put(keeper->log, MTASTS_LOG_INFO,
		    "worker pid=%ld end=\"%s\" reason=\"relieved, %s\" lived=%llds", (long)pid, how,
		    hand->why, (long long)(lived_ms / 1000));
		return;
	}
	keeper->n_quick = lived_ms < STEADY ? keeper->n_quick + 1 : 1;
	pause = pause_of(keeper);
	log_put(keeper->log, MTASTS_LOG_WARNING,
	    "worker pid=%ld end=\"%s\" reason=\"%s\" lived=%llds again=%llds", (long)pid, how,
	    hand->why, (long long)(lived_ms / 1000), (long long)(pause / 1000));
	timer_set(keeper, &keeper->next, pause);
}

static void
reap(struct hand *hand)
{
	char words[32];
	struct buf how;
	int status = 0;
	pid_t r = waitpid(hand->pid, &status, WNOHANG);

	buf_init(&how, words, sizeof words);
	hand->n_reaps++;
	if (r == hand->pid)
		words_of(status, &how);
	else if (r < 0 && errno == ECHILD)
		buf_puts(&how, "not known");
	else if (hand->n_reaps > REAPS)
		buf_puts(&how, "not yet");
	if (how.n != 0) {
		ended(hand, how.p);
		return;
	}
	if (!hand->is_relieved || hand->n_reaps > REAPS_LEFT)
		(void)kill(hand->pid, SIGKILL);
	timer_set(hand->keeper, &hand->ending, REAP);
}

/* From the loop, never from inside a call of the owner's. */
static void
end(struct hand *hand, const char *why)
{
	struct keeper *keeper = hand->keeper;

	hand->why = why;
	duct_free(hand->duct);
	hand->duct = NULL;
	hand->n_reaps = 0;
	if (!hand->is_relieved) {
		loop_timer_end(keeper->loop, &keeper->pinging);
		keeper->config.gone(keeper->config.arg);
	}
	reap(hand);
}

static void
on_broken(void *arg, const char *why)
{
	end(arg, why);
}

static void
on_ending(void *arg)
{
	struct hand *hand = arg;

	if (hand->duct == NULL)
		reap(hand);
	else
		end(hand, hand->why != NULL ? hand->why : "too long at what it had under way");
}

/* ---- whether it is there ---- */

static void
on_pinging(void *arg)
{
	struct keeper *keeper = arg;
	struct channel_message ping = { .kind = CHANNEL_PING, .id = keeper->ping + 1 };

	if (keeper->is_ping_out) {
		end(keeper->now, "does not answer");
		return;
	}
	keeper->ping++;
	keeper->is_ping_out = true;
	timer_set(keeper, &keeper->pinging, keeper->config.hang_ms);
	(void)keeper_tell(keeper, &ping);
}

static int
hand_tell(struct hand *hand, const struct channel_message *message)
{
	if (hand->duct == NULL || hand->why != NULL)
		return -1;
	if (duct_send(hand->duct, message) == 0)
		return 0;
	hand->why = "takes nothing any more";
	timer_set(hand->keeper, &hand->ending, 0);
	return -1;
}

/* What smtpd does with its connections, of which either may have some. */
static bool
is_for_both(const struct channel_message *message)
{
	switch (message->kind) {
	case CHANNEL_CONNECT:
	case CHANNEL_BEGIN:
	case CHANNEL_ENVELOPE:
	case CHANNEL_DISCONNECT:
		return true;
	case CHANNEL_QUESTION:
	case CHANNEL_PING:
	case CHANNEL_LEAVE:
	case CHANNEL_ANSWER:
		return false;
	}
	return false;
}

int
keeper_tell(struct keeper *keeper, const struct channel_message *message)
{
	if (keeper->other->is_relieved && is_for_both(message))
		(void)hand_tell(keeper->other, message);
	return hand_tell(keeper->now, message);
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

/* In the new process: of the supervisor's descriptors it holds none. */
static void
work(struct keeper *keeper, int ours, int channel)
{
	close(ours);
	for (size_t i = 0; i < 2; i++) {
		if (keeper->hands[i].duct != NULL && duct_fd(keeper->hands[i].duct) != ours)
			close(duct_fd(keeper->hands[i].duct));
	}
	_exit(keeper->config.work(keeper->config.arg, channel));
}

static bool
start_failed(struct keeper *keeper)
{
	log_put(keeper->log, MTASTS_LOG_ERROR, "worker reason=\"cannot be started: %s\"",
	    strerror(errno));
	return false;
}

static void on_message(void *arg, const struct channel_message *message);

static bool
start(struct hand *hand)
{
	struct keeper *keeper = hand->keeper;
	const struct duct_events events = { hand, on_message, on_broken };
	int fds[2];

	if (channel_open(fds) != 0)
		return start_failed(keeper);
	struct duct *duct = duct_new(keeper->loop, fds[0], &events);
	pid_t pid = duct == NULL ? -1 : fork();
	if (pid == 0)
		work(keeper, fds[0], fds[1]);
	if (pid < 0)
		(void)start_failed(keeper);
	close(fds[1]);
	if (pid < 0) {
		if (duct == NULL)
			close(fds[0]);
		duct_free(duct);
		return false;
	}
	loop_timer_end(keeper->loop, &hand->ending);
	hand->pid = pid;
	hand->duct = duct;
	hand->why = NULL;
	hand->is_relieved = false;
	hand->started_ms = loop_now_ms(keeper->loop);
	return true;
}

static void
watch_over(struct keeper *keeper)
{
	keeper->is_ping_out = false;
	timer_set(keeper, &keeper->pinging, keeper->config.ping_ms);
}

static void
on_next(void *arg)
{
	struct keeper *keeper = arg;

	if (!start(keeper->now)) {
		timer_set(keeper, &keeper->next, PAUSE_FIRST);
		return;
	}
	watch_over(keeper);
	keeper->config.again(keeper->config.arg);
}

/* ---- one in another's place ---- */

/* Not while an earlier one is still at it: that would have no end. */
static void
relieve(struct keeper *keeper)
{
	const struct channel_message leave = { .kind = CHANNEL_LEAVE };
	struct hand *old = keeper->now;

	if (old->why != NULL || keeper->other->pid != 0 || !start(keeper->other))
		return;
	keeper->now = keeper->other;
	keeper->other = old;
	old->is_relieved = true;
	timer_set(keeper, &old->ending, LEAVE_MAX);
	(void)hand_tell(old, &leave);
	watch_over(keeper);
	keeper->config.again(keeper->config.arg);
}

static void
on_message(void *arg, const struct channel_message *message)
{
	struct hand *hand = arg;
	struct keeper *keeper = hand->keeper;
	bool is_now = hand == keeper->now && hand->why == NULL;

	if (message->kind == CHANNEL_PING && is_now && message->id == keeper->ping)
		watch_over(keeper);
	else if (message->kind == CHANNEL_LEAVE && is_now)
		relieve(keeper);
	else if (message->kind == CHANNEL_ANSWER)
		keeper->config.message(keeper->config.arg, message);
}

/* ---- all of it ---- */

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
	for (size_t i = 0; i < 2; i++) {
		struct hand *hand = &keeper->hands[i];
		hand->keeper = keeper;
		hand->ending = (struct loop_timer){ .fn = on_ending, .arg = hand };
	}
	keeper->now = &keeper->hands[0];
	keeper->other = &keeper->hands[1];
	if (start(keeper->now))
		watch_over(keeper);
	else
		timer_set(keeper, &keeper->next, PAUSE_FIRST);
	return keeper;
}

void
keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	loop_timer_end(keeper->loop, &keeper->next);
	loop_timer_end(keeper->loop, &keeper->pinging);
	for (size_t i = 0; i < 2; i++) {
		loop_timer_end(keeper->loop, &keeper->hands[i].ending);
		duct_free(keeper->hands[i].duct);
	}
	free(keeper);
}
