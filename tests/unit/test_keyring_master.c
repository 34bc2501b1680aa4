/* SPDX-License-Identifier: Apache-2.0 */
/* Where the master key comes from, in which order, and what is refused. */
#include "unit.h"

#include "crypto/keyring.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "MASTER_ENCRYPTION_KEY"
#define FOLDER   "CREDENTIALS_DIRECTORY"
#define STRANGER 12345

/* The bytes 00 01 … 1f and their spellings; the bytes fb ff … ff. */
#define HEX    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define URL    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define BASE64 URL "="
#define HIGH_HEX \
	"fbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define HIGH_URL                                    \
	"-________________________________________" \
	"_8"
#define HIGH_BASE64                                 \
	"+////////////////////////////////////////" \
	"/8="
#define ZERO_HEX \
	"0000000000000000000000000000000000000000000000000000000000000000"

static char folder[] = "master-XXXXXX";
static char path[64];
static char credential[64];
static char why[256];

static int set_up_group(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/key", folder);
	snprintf(credential, sizeof(credential), "%s/claviger-master-key",
	         folder);
	return 0;
}

static int tear_down_group(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	unlink(credential);
	unsetenv(FOLDER);
	unsetenv(VARIABLE);
	return 0;
}

static void write_file(const char *name, const char *content, mode_t mode)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void expect_key(const char *file, const char *command,
                       unsigned char first)
{
	unsigned char key[SEAL_KEY_BYTES] = {0};

	why[0] = '\0';
	assert_int_equal(keyring_read_master(file, command, key, why),
	                 FAULT_NONE);
	assert_int_equal(key[0], first);
	assert_int_equal(key[31], first == 0 ? 0x1f : 0xff);
	assert_null(getenv(VARIABLE));
}

static void expect_refusal(const char *file, const char *command,
                           const char *reason)
{
	unsigned char key[SEAL_KEY_BYTES];
	unsigned char untouched[SEAL_KEY_BYTES];

	memset(key, 0x5a, sizeof(key));
	memset(untouched, 0x5a, sizeof(untouched));
	memset(why, 'x', sizeof(why));
	assert_int_equal(keyring_read_master(file, command, key, why),
	                 FAULT_VALIDATION);
	assert_memory_equal(key, untouched, sizeof(key));
	assert_non_null(memchr(why, '\0', sizeof(why)));
	if (!strstr(why, reason))
		fail_msg("wanted \"%s\" in \"%s\"", reason, why);
	assert_null(getenv(VARIABLE));
}

static void reads_every_spelling(void **state)
{
	static const char *const spellings[] = {
	    HEX,
	    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
	    URL,
	    BASE64,
	    HEX "\n",
	    URL "\n",
	    BASE64 "\n",
	    HEX "\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		write_file(path, spellings[i], 0600);
		expect_key(path, NULL, 0);
		unlink(path);
	}
	write_file(path, HIGH_URL, 0600);
	expect_key(path, NULL, 0xfb);
	write_file(path, HIGH_BASE64 "\n", 0600);
	expect_key(path, NULL, 0xfb);
}

static void refuses_every_other_text(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\n",
	    "secret",
	    "0123456789abcdef0123456789abcdef",
	    HEX "0",
	    HEX "\n\n",
	    HEX " ",
	    " " HEX,
	    HEX HEX,
	    "0x02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	    URL "A",
	    URL "==",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH=8",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh*",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		write_file(path, texts[i], 0600);
		expect_refusal(path, NULL, "neither 64 hex digits");
		/* The key itself is nobody's business. */
		assert_null(strstr(why, "0102030405"));
	}
}

static void reads_a_private_file_only(void **state)
{
	(void)state;
	write_file(path, HEX, 0600);
	expect_key(path, NULL, 0);
	write_file(path, HEX, 0400);
	expect_key(path, NULL, 0);
	for (mode_t bit = 1; bit <= 0040; bit <<= 1) {
		assert_int_equal(chmod(path, 0600 | bit), 0);
		expect_refusal(path, NULL, "open to others");
	}
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refusal(path, NULL, "is not a file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refusal(path, NULL, "is not a file");
}

/* Root starts what its owner runs: the quick start, a suexec account. */
static void takes_a_private_file_of_another_user(void **state)
{
	(void)state;
	write_file(path, HEX, 0400);
	if (geteuid() == 0)
		assert_int_equal(chown(path, STRANGER, (gid_t)-1), 0);
	expect_key(path, NULL, 0);
}

static void refuses_a_file_that_cannot_be_opened(void **state)
{
	char long_path[5000];

	(void)state;
	write_file(path, HEX, 0600);
	snprintf(long_path, sizeof(long_path), "%s/below", path);
	expect_refusal(long_path, NULL, "Not a directory");
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	expect_refusal(long_path, NULL, "too long");
}

static void says_that_there_is_none(void **state)
{
	(void)state;
	expect_refusal(NULL, NULL, "none");
	expect_refusal("", "", "none");
	expect_refusal(path, NULL, "none");
	setenv(VARIABLE, "", 1);
	expect_refusal(NULL, NULL, "none");
	setenv(FOLDER, folder, 1);
	expect_refusal(NULL, NULL, "none");
}

static void reads_the_credential_of_systemd(void **state)
{
	(void)state;
	setenv(FOLDER, folder, 1);
	write_file(credential, HEX, 0400);
	expect_key(NULL, NULL, 0);
	/* An access control list shows as the group's right. */
	write_file(credential, HEX, 0440);
	expect_key("", "", 0);
	write_file(credential, HEX, 0444);
	expect_refusal(NULL, NULL, "open to others");
	write_file(credential, HEX, 0460);
	expect_refusal(NULL, NULL, "open to others");
}

static void reads_what_a_command_prints(void **state)
{
	(void)state;
	expect_key(NULL, "printf " HEX, 0);
	expect_key(NULL, "echo " BASE64, 0);
	expect_key(NULL,
	           "printf 0001020304050607; sleep 0.05; "
	           "echo 08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	           0);
	/* Its input is empty, wherever ours comes from. */
	expect_key(NULL, "cat; echo " HEX, 0);
}

static void refuses_a_command_that_fails(void **state)
{
	(void)state;
	expect_refusal(NULL, "exit 3", "failed (3)");
	expect_refusal(NULL, "echo " HEX "; exit 1", "failed (1)");
	expect_refusal(NULL, "echo " HEX "; kill -9 $$", "failed (-1)");
	expect_refusal(NULL, "/nonexistent/program 2>/dev/null",
	               "failed (127)");
	expect_refusal(NULL, "true", "neither 64 hex digits");
	expect_refusal(NULL, "echo " HEX "; yes", "failed");
	expect_refusal(NULL, "yes | head -c 200; true", "neither 64 hex");
}

static void reads_a_command_whose_end_is_ignored(void **state)
{
	struct sigaction action;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	expect_key(NULL, "echo " HEX, 0);
	assert_int_equal(sigaction(SIGCHLD, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

/* A service may start with its first descriptors closed. */
static void reads_a_command_without_standard_descriptors(void **state)
{
	int kept_input = dup(0);
	int kept_output = dup(1);
	unsigned char key[SEAL_KEY_BYTES] = {0};
	enum fault fault;

	(void)state;
	close(0);
	close(1);
	fault = keyring_read_master(NULL, "echo " HEX, key, why);
	dup2(kept_input, 0);
	dup2(kept_output, 1);
	close(kept_input);
	close(kept_output);
	assert_int_equal(fault, FAULT_NONE);
	assert_int_equal(key[31], 0x1f);
}

static size_t open_descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

/* As many as a child of ours sees that gets nothing but its three. */
static int descriptors_of_a_child(void)
{
	/* NOLINTNEXTLINE(cert-env33-c): a shell is what is looked at */
	FILE *child = popen("echo $(ls /proc/self/fd | wc -l)", "re");
	char line[32] = "";

	assert_non_null(child);
	assert_non_null(fgets(line, sizeof(line), child));
	pclose(child);
	return (int)strtol(line, NULL, 10);
}

static void hands_no_descriptor_to_the_command(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command),
	         "test $(ls /proc/self/fd | wc -l) -eq %d && echo " HEX,
	         descriptors_of_a_child());
	expect_key(NULL, command, 0);
}

static void leaves_no_descriptor_open(void **state)
{
	const size_t before = open_descriptors();

	(void)state;
	write_file(path, HEX, 0600);
	expect_key(path, NULL, 0);
	write_file(path, HEX, 0644);
	expect_refusal(path, NULL, "open to others");
	expect_key(NULL, "echo " HEX, 0);
	expect_refusal(NULL, "exit 1", "failed");
	assert_int_equal(open_descriptors(), before);
}

static void reads_the_environment_and_wipes_it(void **state)
{
	const char zeros[sizeof(HEX)] = {0};
	const char *at;

	(void)state;
	setenv(VARIABLE, HEX, 1);
	at = getenv(VARIABLE);
	expect_key(NULL, NULL, 0);
	/* The bytes stay the environment's; only what they say is gone. */
	assert_memory_equal(at, zeros, sizeof(zeros));
	setenv(VARIABLE, "too short", 1);
	expect_refusal(NULL, NULL, VARIABLE " is neither");
}

static void takes_the_first_source_that_is_there(void **state)
{
	(void)state;
	setenv(FOLDER, folder, 1);
	write_file(path, HEX, 0600);
	write_file(credential, HIGH_HEX, 0600);

	setenv(VARIABLE, ZERO_HEX, 1);
	expect_key(path, "echo " ZERO_HEX, 0);
	unlink(path);
	setenv(VARIABLE, ZERO_HEX, 1);
	expect_key(path, "echo " ZERO_HEX, 0xfb);
	unlink(credential);
	setenv(VARIABLE, ZERO_HEX, 1);
	expect_key(path, "echo " HEX, 0);
	setenv(VARIABLE, HIGH_HEX, 1);
	expect_key(path, NULL, 0xfb);
}

static void does_not_pass_over_a_bad_source(void **state)
{
	(void)state;
	write_file(path, HEX, 0644);
	setenv(VARIABLE, HEX, 1);
	expect_refusal(path, "echo " HEX, "open to others");
	write_file(path, "short", 0600);
	setenv(VARIABLE, HEX, 1);
	expect_refusal(path, "echo " HEX, "the key file is neither");
	setenv(VARIABLE, HEX, 1);
	expect_refusal(NULL, "exit 1", "failed (1)");
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(reads_every_spelling),
	    TEST(refuses_every_other_text),
	    TEST(reads_a_private_file_only),
	    TEST(refuses_what_is_no_file),
	    TEST(takes_a_private_file_of_another_user),
	    TEST(refuses_a_file_that_cannot_be_opened),
	    TEST(says_that_there_is_none),
	    TEST(reads_the_credential_of_systemd),
	    TEST(reads_what_a_command_prints),
	    TEST(refuses_a_command_that_fails),
	    TEST(reads_a_command_whose_end_is_ignored),
	    TEST(reads_a_command_without_standard_descriptors),
	    TEST(hands_no_descriptor_to_the_command),
	    TEST(leaves_no_descriptor_open),
	    TEST(reads_the_environment_and_wipes_it),
	    TEST(takes_the_first_source_that_is_there),
	    TEST(does_not_pass_over_a_bad_source),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
