/*
 * replay: run every file of the given folders through one fuzz target.
 *
 * Links where libFuzzer would, so that the corpora are tests for a compiler
 * that has no libFuzzer.  Fails if there is no file at all.
 */
#include <dirent.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)	/* bytes of a file */

static int
file_replay(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes = malloc(INPUT_MAX);
	size_t len = 0;
	int done = 0;

	if (file == NULL || bytes == NULL) {
		perror(path);
		goto out;
	}
	/* In memory that ends with the input, for the sanitizers' sake. */
	len = fread(bytes, 1, INPUT_MAX, file);
	if (len > 0) {
		uint8_t *fitted = realloc(bytes, len);

		if (fitted != NULL)
			bytes = fitted;
	}
	LLVMFuzzerTestOneInput(bytes, len);
	done = 1;
out:
	free(bytes);
	if (file != NULL)
		fclose(file);
	return done;
}

/* The number of files replayed, or -1. */
static int
folder_replay(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry = NULL;
	int count = 0;

	if (dir == NULL) {
		perror(folder);
		return -1;
	}
	while (count >= 0 && (entry = readdir(dir)) != NULL) {
		char path[1024];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count = file_replay(path) ? count + 1 : -1;
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = folder_replay(argv[i]);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%s: %d inputs\n", argv[0], total);
	return total > 0 ? 0 : 1;
}
