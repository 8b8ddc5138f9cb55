// Debian's build of Lua writes this file; it names a folder of libraries, which no script here loads.
#define DEB_HOST_MULTIARCH "none"
