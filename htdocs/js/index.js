// SPDX-License-Identifier: Apache-2.0
/* The front door: who is signed in is shown the way to the account. */
import { hasSession } from "./api.js";

document.getElementById("guest").hidden = hasSession();
document.getElementById("member").hidden = !hasSession();
