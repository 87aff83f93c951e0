/* cost.h -- what a process costs over a window, from /proc: CPU time, bytes written to disk, memory. Linux only.
 *
 *   peer_cost(pid) at the window's begin ──▶ … ──▶ peer_cost(pid) at its end ──▶ difference()
 *
 * -1 stands for what is unknown: no such process, or not ours to read.
 */
#ifndef TIDEGATE_BENCH_COST_H
#define TIDEGATE_BENCH_COST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { double cpu_s, written_bytes, rss_bytes; } cost;

/* The number behind `key` in /proc/<pid>/<file>, or -1. */
static double proc_number(int pid, const char *file, const char *key)
{
    char path[64], line[256];
    double found = -1;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    FILE *f = fopen(path, "r");
    if (f == NULL) return -1;
    while (found < 0 && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) found = strtod(line + strlen(key), NULL);
    fclose(f);
    return found;
}

/* User and system time of all threads, from /proc/<pid>/stat; the command's name may hold spaces, so after its ')'. */
static double proc_cpu_s(int pid)
{
    char path[64], text[1024];
    unsigned long user = 0, sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) return -1;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *p = strrchr(text, ')');
    if (p == NULL || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2) return -1;
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static cost peer_cost(int pid)
{
    cost c = {-1, -1, -1};
    if (pid == 0) return c;
    double rss_kb = proc_number(pid, "status", "VmRSS:");
    c.cpu_s = proc_cpu_s(pid);
    c.written_bytes = proc_number(pid, "io", "write_bytes:");
    c.rss_bytes = rss_kb < 0 ? -1 : rss_kb * 1024;
    return c;
}

static double difference(double after, double before)
{
    return after < 0 || before < 0 ? -1 : after - before;
}

#endif
