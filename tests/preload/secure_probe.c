/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secure_probe - what a privileged program sees of us; prints three words
 *
 * secure or plain (AT_SECURE), ours or not (is the library mapped), the tier
 * of a block.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

int main(void)
{
	int (*tier_of)(const void *);
	void *p = malloc(100);

	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	printf("%s %s %d\n", getauxval(AT_SECURE) ? "secure" : "plain",
	       tier_of ? "ours" : "not", tier_of ? tier_of(p) : -1);
	free(p);
	return 0;
}
