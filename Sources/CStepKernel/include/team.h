#ifndef SLUICE_TEAM_H
#define SLUICE_TEAM_H

#include <stddef.h>

/// Threads that work on one thing at a time together with the caller. A call costs some microseconds: they wait
/// actively for a moment before they sleep.
typedef struct sluice_team sluice_team;

/// threads: with the caller, at least 1. NULL if they cannot be had.
sluice_team *sluice_team_create(size_t threads);
void sluice_team_destroy(sluice_team *team);
size_t sluice_team_threads(const sluice_team *team);

/// body(context, part) for each part < threads, part 0 on the calling thread; returns when all have returned.
void sluice_team_run(sluice_team *team, void (*body)(void *context, size_t part), void *context);

#endif
