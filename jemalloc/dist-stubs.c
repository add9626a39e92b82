/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dist-stubs - what the distribution's jemalloc wants for heap profiling
 *
 * Only linked with the distribution's archive (jemalloc/from-archive).
 * Profiling is off, and src/pool/je.c gives no option that turns it on, so
 * reaching one of these is a bug of ours.
 */
#include <stdlib.h>

int je_absent_backtrace(void *callback, void *arg);
unsigned long je_absent_ip(void *context);
double je_absent_exp(double x);
double je_absent_log(double x);
double je_absent_round(double x);

int je_absent_backtrace(void *callback, void *arg)
{
	(void)callback, (void)arg;
	abort();
}

unsigned long je_absent_ip(void *context)
{
	(void)context;
	abort();
}

double je_absent_exp(double x)
{
	(void)x;
	abort();
}

double je_absent_log(double x)
{
	(void)x;
	abort();
}

double je_absent_round(double x)
{
	(void)x;
	abort();
}
