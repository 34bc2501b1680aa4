/* SPDX-License-Identifier: Apache-2.0 */
/* Which transport is which, and the one that is only a folder. */
#include "domain/outbox/transport.h"

#include "domain/outbox/sendmail.h"
#include "domain/outbox/smtp.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum fault send_message(const struct config *config,
                                const struct uuid *id, struct span to,
                                struct span message,
                                char why[TRANSPORT_ERROR_BYTES]);

static enum fault write_all(int file, struct span bytes)
{
	while (bytes.length > 0) {
		ssize_t written = write(file, bytes.at, bytes.length);
		if (written < 0)
			return FAULT_UNAVAILABLE;
		bytes.at += written;
		bytes.length -= (size_t)written;
	}
	return FAULT_NONE;
}

/*
 * One file a message, written beside its place and renamed, so that a reader
 * never sees half of one. The name is the message's own id: sending twice
 * gives one file.
 */
static enum fault maildir_send(const struct config *config,
                               const struct uuid *id, struct span to,
                               struct span message,
                               char why[TRANSPORT_ERROR_BYTES])
{
	(void)to;
	char name[UUID_TEXT_BYTES], draft[512], path[512];
	uuid_format(id, name);
	const char *folder = config->mail.maildir;
	snprintf(draft, sizeof(draft), "%s/.%s.tmp", folder, name);
	snprintf(path, sizeof(path), "%s/%s.eml", folder, name);
	int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (file < 0) {
		snprintf(why, TRANSPORT_ERROR_BYTES,
		         "mail.maildir: no file can be made in %.120s", folder);
		return FAULT_UNAVAILABLE;
	}
	enum fault fault = write_all(file, message);
	if (!fault && fsync(file) != 0)
		fault = FAULT_UNAVAILABLE;
	close(file);
	if (!fault && rename(draft, path) != 0)
		fault = FAULT_UNAVAILABLE;
	if (fault) {
		unlink(draft);
		snprintf(why, TRANSPORT_ERROR_BYTES,
		         "mail.maildir: no file can be finished in %.120s",
		         folder);
	}
	return fault;
}

static send_message *const transports[] = {
    [MAIL_TRANSPORT_NONE] = NULL,
    [MAIL_TRANSPORT_SMTP] = smtp_send,
    [MAIL_TRANSPORT_SENDMAIL] = sendmail_send,
    [MAIL_TRANSPORT_MAILDIR] = maildir_send,
};

enum fault transport_send(const struct config *config, const struct uuid *id,
                          struct span to, struct span message,
                          char why[TRANSPORT_ERROR_BYTES])
{
	send_message *send = transports[config->mail.transport];
	assert(send); /* the caller does not send when there is none */
	return send(config, id, to, message, why);
}
