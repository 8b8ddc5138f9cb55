;; A function that calls checks its stack; memory's length is read again behind a call. Results behind the first come
;; through addresses. Imports and tables are called through Function objects.
(module
  (import "env" "f" (func $imported (param i32) (result i32)))
  (type $pair (func (param i32) (result i32 i64)))
  (memory 1)
  (table 1 funcref)
  (func $pair (param $p i32) (result i32 i64) (local.get $p) (i64.const 5))
  (func (param $p i32) (result i64) (local $q i64)
    (call $pair (local.get $p))
    (local.set $q)
    (i64.store (call $imported) (local.get $q))
    (local.get $q))
  (func (param $i i32) (result i32 i64)
    (call_indirect (type $pair) (i32.const 3) (local.get $i))))

;; IL
;; f1: maxstack 8
;;   000 ldarg.2
;;   001 ldc.i4.5
;;   002 conv.i8
;;   003 stind.i8
;;   004 ldarg.0
;;   005 ret
;; f2: maxstack 3
;;   000 ldloca.s 1
;;   002 conv.u
;;   003 ldarg.1
;;   004 ldfld Instance.StackLimit
;;   009 blt.un 088
;;   00e ldarg.1
;;   00f ldfld Instance.Memory0
;;   014 ldfld Memory.Length
;;   019 stloc.3
;;   01a ldarg.1
;;   01b ldfld Instance.MemoryBase
;;   020 stloc.2
;;   021 ldc.i4.0
;;   022 conv.i8
;;   023 stloc.0
;;   024 ldarg.0
;;   025 ldarg.1
;;   026 ldloca.s 4
;;   028 call f1
;;   02d ldarg.1
;;   02e ldfld Instance.Memory0
;;   033 ldfld Memory.Length
;;   038 stloc.3
;;   039 stloc.s 5
;;   03b ldloc.s 4
;;   03d stloc.0
;;   03e ldarg.1
;;   03f ldfld Instance.Imports
;;   044 ldc.i4.0
;;   045 ldelem.ref
;;   046 stloc.s 6
;;   048 ldloc.s 5
;;   04a ldloc.s 6
;;   04c ldfld Function.Context
;;   051 ldloc.s 6
;;   053 ldfld Function.Code
;;   058 calli (signature)
;;   05d ldarg.1
;;   05e ldfld Instance.Memory0
;;   063 ldfld Memory.Length
;;   068 stloc.3
;;   069 stloc.s 5
;;   06b ldloc.s 5
;;   06d conv.u8
;;   06e ldloc.3
;;   06f ldc.i4.8
;;   070 conv.i8
;;   071 sub
;;   072 bgt.un 080
;;   077 ldloc.s 5
;;   079 conv.u
;;   07a ldloc.2
;;   07b add
;;   07c ldloc.0
;;   07d stind.i8
;;   07e ldloc.0
;;   07f ret
;;   080 ldc.i4.1
;;   081 call Traps.Throw
;;   086 ldnull
;;   087 throw
;;   088 ldarg.1
;;   089 call Traps.StackLimit
;;   08e ldnull
;;   08f throw
;; f3: maxstack 4
;;   000 ldloca.s 0
;;   002 conv.u
;;   003 ldarg.1
;;   004 ldfld Instance.StackLimit
;;   009 blt.un 06d
;;   00e ldarg.1
;;   00f ldfld Instance.Table0
;;   014 ldfld Table.Elements
;;   019 stloc.2
;;   01a ldarg.0
;;   01b ldloc.2
;;   01c ldlen
;;   01d conv.i4
;;   01e bge.un 05d
;;   023 ldloc.2
;;   024 ldarg.0
;;   025 ldelem.ref
;;   026 stloc.1
;;   027 ldloc.1
;;   028 brtrue 035
;;   02d ldarg.1
;;   02e ldc.i4.0
;;   02f ldarg.0
;;   030 call Traps.NullElement
;;   035 ldloc.1
;;   036 ldfld Function.SignatureId
;;   03b ldc.i4.0
;;   03c bne.un 065
;;   041 ldc.i4.3
;;   042 ldloc.1
;;   043 ldfld Function.Context
;;   048 ldloca.s 3
;;   04a ldloc.1
;;   04b ldfld Function.Code
;;   050 calli (signature)
;;   055 stloc.s 4
;;   057 ldarg.2
;;   058 ldloc.3
;;   059 stind.i8
;;   05a ldloc.s 4
;;   05c ret
;;   05d ldc.i4.4
;;   05e call Traps.Throw
;;   063 ldnull
;;   064 throw
;;   065 ldc.i4.6
;;   066 call Traps.Throw
;;   06b ldnull
;;   06c throw
;;   06d ldarg.1
;;   06e call Traps.StackLimit
;;   073 ldnull
;;   074 throw
