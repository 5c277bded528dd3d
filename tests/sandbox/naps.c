#include "naps.h"

#include <pthread.h>

struct naps {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	uint64_t round;			/* counts naps_end */
};

bool
naps_open(struct naps **out, struct err *err)
{
	struct naps *naps = calloc(1, sizeof(*naps));
	pthread_condattr_t attr;

	if (naps == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&naps->ended, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&naps->lock, NULL);
	*out = naps;
	return true;
}

void
naps_close(struct naps *naps)
{
	if (naps == NULL)
		return;
	pthread_cond_destroy(&naps->ended);
	pthread_mutex_destroy(&naps->lock);
	free(naps);
}

void
naps_take(struct naps *naps, int64_t ms)
{
	struct timespec until;
	uint64_t round;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&naps->lock);
	round = naps->round;
	while (round == naps->round && rc == 0)
		rc = pthread_cond_timedwait(&naps->ended, &naps->lock,
		    &until);
	pthread_mutex_unlock(&naps->lock);
}

void
naps_end(struct naps *naps)
{
	pthread_mutex_lock(&naps->lock);
	naps->round++;
	pthread_cond_broadcast(&naps->ended);
	pthread_mutex_unlock(&naps->lock);
}
