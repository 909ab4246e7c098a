// The page of storage. The server has painted it, and nothing changes it here; signing out is as from everywhere.

import "samia/theme";
import { signOut } from "chat/sign-out";
import { page } from "samia/page";
import { speak } from "samia/text";

speak(page.words);
document.addEventListener("submit", (event) => event.target.matches("[data-sign-out]") && signOut(event));
