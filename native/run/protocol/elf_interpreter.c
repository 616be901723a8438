/* See elf_interpreter.h. The file may be anybody's, so nothing in it is believed: each length and offset is checked. */
#include "elf_interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digits.h"
#include "json.h"
#include "namespace/resolve.h"

/* Program headers that are read, as many as the kernel takes: a page (fs/binfmt_elf.c has 64 KiB). */
#define HEADERS_BYTES_MAX 65536U
/* The one byte order that this processor has. */
#define OWN_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

static bool read_at(int file, void *bytes, size_t length, uint64_t offset)
{
	return offset <= INT64_MAX - length && pread(file, bytes, length, (off_t)offset) == (ssize_t)length;
}

/* Where the program headers are, how many, and how long each is. */
struct headers {
	uint64_t offset;
	size_t count, size;
	bool wide;
};

static bool read_header(int file, struct headers *headers)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} header;

	if (!read_at(file, &header, sizeof(header.narrow), 0) || memcmp(header.ident, ELFMAG, SELFMAG) != 0 ||
	    header.ident[EI_DATA] != OWN_ORDER)
		return false;
	headers->wide = header.ident[EI_CLASS] == ELFCLASS64;
	if (headers->wide && !read_at(file, &header, sizeof(header.wide), 0))
		return false;
	headers->offset = headers->wide ? header.wide.e_phoff : header.narrow.e_phoff;
	headers->count = headers->wide ? header.wide.e_phnum : header.narrow.e_phnum;
	headers->size = headers->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	return (headers->wide ? header.wide.e_phentsize : header.narrow.e_phentsize) == headers->size &&
	       headers->count * headers->size <= HEADERS_BYTES_MAX;
}

static bool read_interpreter(int file, char interpreter[ELF_INTERPRETER_BYTES])
{
	struct headers headers;

	interpreter[0] = '\0';
	if (!read_header(file, &headers))
		return false;
	for (size_t i = 0; i < headers.count; i++) {
		union {
			Elf32_Phdr narrow;
			Elf64_Phdr wide;
		} header;
		uint64_t offset, length;

		if (!read_at(file, &header, headers.size, headers.offset + i * headers.size))
			return false;
		if ((headers.wide ? header.wide.p_type : header.narrow.p_type) != PT_INTERP)
			continue;
		offset = headers.wide ? header.wide.p_offset : header.narrow.p_offset;
		length = headers.wide ? header.wide.p_filesz : header.narrow.p_filesz;
		return length > 1 && length <= ELF_INTERPRETER_BYTES &&
		       read_at(file, interpreter, (size_t)length, offset) && interpreter[length - 1] == '\0' &&
		       json_is_utf8(interpreter, strlen(interpreter));
	}
	return true;
}

bool elf_interpreter(int descriptors, int program, char interpreter[ELF_INTERPRETER_BYTES])
{
	char name[DIGITS_MAX];
	struct stat status;
	bool is_known;
	int file;

	/* Opening anything but a regular file may have effects. */
	if (fstat(program, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	(void)digits_put(name, (uint32_t)program, 10);
	file = openat(descriptors, name, O_RDONLY | O_CLOEXEC);
	is_known = file >= 0 && read_interpreter(file, interpreter);
	close_quietly(file);
	return is_known;
}
