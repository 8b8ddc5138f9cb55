// Runs the Lua script on standard input.
#include <stdio.h>
#include <stdlib.h>
#include "lauxlib.h"
#include "lualib.h"

static const luaL_Reg libraries[] = {
  { "_G", luaopen_base }, { "coroutine", luaopen_coroutine }, { "table", luaopen_table }, { "string", luaopen_string },
  { "math", luaopen_math }, { "utf8", luaopen_utf8 },
};

int main(void) {
  lua_State *L = luaL_newstate();
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
    lua_pop(L, 1);
  }
  if (luaL_loadfile(L, NULL) == LUA_OK && lua_pcall(L, 0, 0, 0) == LUA_OK) return 0;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  return 1;
}
