/*
 * Stands in for libFuzzer where only known inputs are to be tried: every file that is named, once, in memory that ends where the file
 * ends. Any compiler builds it. Prints how many there were.
 */
#include "target.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define INPUT_MAX (16U * 1024 * 1024)

#pragma weak LLVMFuzzerInitialize

static void try_file(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	CHECK(file >= 0 && fstat(file, &status) == 0 && status.st_size <= INPUT_MAX, "%s", path);
	size_t size = (size_t)status.st_size;
	/* One byte for an empty input, since malloc(0) may give nothing. */
	uint8_t *data = malloc(size + (size == 0));

	CHECK(data != NULL && read(file, data, size) == (ssize_t)size, "%s", path);
	(void)close(file);
	(void)fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		try_file(argv[i]);
	(void)printf("%d inputs\n", argc - 1);
	return 0;
}
