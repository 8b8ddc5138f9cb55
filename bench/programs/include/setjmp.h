// This wasi-libc has none. Lua is built to do without; nothing else here asks for it.
#pragma once
typedef int jmp_buf[1];
