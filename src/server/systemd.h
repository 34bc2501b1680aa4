/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two small protocols of the service manager, without its library:
 * sockets handed over (sd_listen_fds) and news of our state (sd_notify).
 */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H

/*
 * The one socket that systemd hands over, or -1. The variables are taken out of
 * the environment, so that no child believes them.
 */
int systemd_take_socket(void);

/* "READY=1" and the like; nothing happens without a NOTIFY_SOCKET. */
void systemd_notify(const char *state);

#endif
