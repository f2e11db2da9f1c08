#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/// Looks at a counter before a thread sleeps: some tens of microseconds, more than passes between the parts of one
/// update, less than anyone minds.
enum { LOOKS = 1000 };

struct sluice_team {
    size_t threads, started;
    pthread_t *handles;
    pthread_mutex_t mutex;
    pthread_cond_t called, done;
    void (*body)(void *, size_t);
    void *context;
    bool stopping;
    _Atomic size_t call, working; // calls so far; threads still at work on the last
};

typedef struct {
    sluice_team *team;
    size_t part;
} Member;

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Waits until the counter differs from (or, with `equal`, equals) `value`.
static void await(sluice_team *team, _Atomic size_t *counter, size_t value, bool equal, pthread_cond_t *condition) {
    for (int look = 0; look < LOOKS; look++) {
        if ((atomic_load_explicit(counter, memory_order_acquire) == value) == equal) return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->mutex);
    while ((atomic_load_explicit(counter, memory_order_acquire) == value) != equal)
        pthread_cond_wait(condition, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
}

static void *work(void *argument) {
    Member member = *(Member *)argument;
    free(argument);
    sluice_team *team = member.team;
    for (size_t seen = 0;; seen++) {
        await(team, &team->call, seen, false, &team->called);
        if (team->stopping) return NULL;
        team->body(team->context, member.part);
        if (atomic_fetch_sub_explicit(&team->working, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&team->mutex);
            pthread_cond_signal(&team->done);
            pthread_mutex_unlock(&team->mutex);
        }
    }
}

static void call(sluice_team *team) {
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add_explicit(&team->call, 1, memory_order_release);
    pthread_cond_broadcast(&team->called);
    pthread_mutex_unlock(&team->mutex);
}

sluice_team *sluice_team_create(size_t threads) {
    sluice_team *team = calloc(1, sizeof *team);
    if (!team) return NULL;
    team->threads = threads;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->called, NULL);
    pthread_cond_init(&team->done, NULL);
    team->handles = calloc(threads, sizeof *team->handles);
    bool sound = team->handles != NULL;
    for (size_t part = 1; sound && part < threads; part++) {
        Member *member = malloc(sizeof *member);
        if (member) *member = (Member){team, part};
        sound = member && pthread_create(&team->handles[team->started], NULL, work, member) == 0;
        if (sound) team->started++;
        else free(member);
    }
    if (sound) return team;
    sluice_team_destroy(team);
    return NULL;
}

void sluice_team_destroy(sluice_team *team) {
    team->stopping = true;
    call(team);
    for (size_t i = 0; i < team->started; i++) pthread_join(team->handles[i], NULL);
    pthread_cond_destroy(&team->called);
    pthread_cond_destroy(&team->done);
    pthread_mutex_destroy(&team->mutex);
    free(team->handles);
    free(team);
}

size_t sluice_team_threads(const sluice_team *team) {
    return team->threads;
}

void sluice_team_run(sluice_team *team, void (*body)(void *, size_t), void *context) {
    if (team->threads > 1) {
        team->body = body;
        team->context = context;
        atomic_store_explicit(&team->working, team->threads - 1, memory_order_relaxed);
        call(team);
    }
    body(context, 0);
    if (team->threads > 1) await(team, &team->working, 0, true, &team->done);
}
