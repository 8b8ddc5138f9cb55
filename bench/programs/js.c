// Runs the JavaScript on standard input; it has print.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quickjs.h"

static JSValue print(JSContext *context, JSValueConst self, int count, JSValueConst *values) {
  for (int i = 0; i < count; i++) {
    const char *text = JS_ToCString(context, values[i]);
    if (!text) return JS_EXCEPTION;
    printf(i ? " %s" : "%s", text);
    JS_FreeCString(context, text);
  }
  putchar('\n');
  return JS_UNDEFINED;
}

static char *read_all(size_t *length) {
  size_t room = 1 << 16, got;
  char *text = malloc(room);
  *length = 0;
  while ((got = fread(text + *length, 1, room - *length - 1, stdin)) > 0) {
    *length += got;
    if (room - *length < 2) text = realloc(text, room *= 2);
  }
  text[*length] = 0;
  return text;
}

int main(void) {
  JSRuntime *runtime = JS_NewRuntime();
  JS_SetMaxStackSize(runtime, 256 * 1024);
  JSContext *context = JS_NewContext(runtime);
  JSValue global = JS_GetGlobalObject(context);
  JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, print, "print", 1));
  JS_FreeValue(context, global);
  size_t length;
  char *text = read_all(&length);
  JSValue result = JS_Eval(context, text, length, "script", JS_EVAL_TYPE_GLOBAL);
  if (!JS_IsException(result)) return 0;
  fprintf(stderr, "%s\n", JS_ToCString(context, JS_GetException(context)));
  return 1;
}
