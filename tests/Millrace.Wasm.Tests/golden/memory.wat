;; Explicit checks: len - K against the address where K fits the initial size, address + K against len where it does
;; not; none for a constant inside the initial size, none for a local that was checked for as much before. Loads are
;; written where they are used, stores settle the loads before them.
(module
  (memory 1)
  (func (param $p i32) (result i32)
    (i32.add (i32.load offset=4 (local.get $p)) (i32.load (local.get $p))))
  (func (param $p i32) (result i32)
    (i32.load (local.get $p))
    (i32.store (local.get $p) (i32.const 1)))
  (func (result i64) (i64.load offset=65528 (i32.const 0)))
  (func (param $p i32) (result i32) (i32.load8_u offset=100000 (local.get $p))))

;; IL
;; f0: maxstack 3
;;   000 ldarg.1
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.1
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldarg.0
;;   014 conv.u8
;;   015 ldloc.1
;;   016 ldc.i4.8
;;   017 conv.i8
;;   018 sub
;;   019 bgt.un 02d
;;   01e ldarg.0
;;   01f conv.u
;;   020 ldloc.0
;;   021 add
;;   022 ldc.i4.4
;;   023 conv.i
;;   024 add
;;   025 ldind.i4
;;   026 ldarg.0
;;   027 conv.u
;;   028 ldloc.0
;;   029 add
;;   02a ldind.i4
;;   02b add
;;   02c ret
;;   02d ldc.i4.1
;;   02e call Traps.Throw
;;   033 ldnull
;;   034 throw
;; f1: maxstack 3
;;   000 ldarg.1
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.1
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldarg.0
;;   014 conv.u8
;;   015 ldloc.1
;;   016 ldc.i4.4
;;   017 conv.i8
;;   018 sub
;;   019 bgt.un 02c
;;   01e ldarg.0
;;   01f conv.u
;;   020 ldloc.0
;;   021 add
;;   022 ldind.i4
;;   023 stloc.2
;;   024 ldarg.0
;;   025 conv.u
;;   026 ldloc.0
;;   027 add
;;   028 ldc.i4.1
;;   029 stind.i4
;;   02a ldloc.2
;;   02b ret
;;   02c ldc.i4.1
;;   02d call Traps.Throw
;;   032 ldnull
;;   033 throw
;; f2: maxstack 2
;;   000 ldarg.0
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.0
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldloc.0
;;   014 ldc.i4 65528
;;   019 conv.i
;;   01a add
;;   01b ldind.i8
;;   01c ret
;; f3: maxstack 2
;;   000 ldarg.1
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.1
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldarg.0
;;   014 conv.u8
;;   015 ldc.i4 100001
;;   01a conv.i8
;;   01b add
;;   01c ldloc.1
;;   01d bgt.un 02f
;;   022 ldarg.0
;;   023 conv.u
;;   024 ldloc.0
;;   025 add
;;   026 ldc.i4 100000
;;   02b conv.i
;;   02c add
;;   02d ldind.u1
;;   02e ret
;;   02f ldc.i4.1
;;   030 call Traps.Throw
;;   035 ldnull
;;   036 throw
