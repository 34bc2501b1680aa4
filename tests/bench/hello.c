/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that libfcgi can do: accept, answer, again. It is what the bench
 * measures the real program against, through the same web server.
 */
#include <fcgiapp.h>

static const char reply[] = "Status: 200 OK\r\n"
			    "Content-Type: application/json\r\n"
			    "Content-Length: 18\r\n"
			    "\r\n"
			    "{\"hello\":\"world\"}\n";

int main(void)
{
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		(void)FCGX_PutStr(reply, sizeof(reply) - 1, request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
