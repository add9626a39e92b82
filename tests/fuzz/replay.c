/* SPDX-License-Identifier: BSD-2-Clause */
/* replay FILE... - a target over bytes that are kept, without a fuzzer */
#include <string.h>

#include "fuzz.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t *data = NULL;
		size_t size = 0;
		int c;

		if (!file) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		/* exactly as long as it is: sanitizers see a byte too many */
		while ((c = getc(file)) != EOF) {
			data = realloc(data, size + 1);
			must(data);
			data[size++] = (uint8_t)c;
		}
		fclose(file);
		(void)LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
