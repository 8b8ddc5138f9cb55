(module
  (tag $e (param i32))
  (memory 1)
  ;; the branch, the return and the tail call leave; the trap stays inside
  (func $f (param i32) (result i32)
    (block $caught (result i32)
      (block $out
        (try_table (catch $e $caught)
          (br_if $out (local.get 0))
          (i32.store (local.get 0) (i32.const 1))
          (if (i32.load (local.get 0)) (then (return (i32.const 2))))
          (return_call $f (i32.const 3))))
      (throw $e (i32.const 4))))
  ;; the caller's own result address goes to the callee
  (func $g (param i64) (result i64 i64)
    (return_call $g (i64.add (local.get 0) (i64.const 1)))))

;; IL
;; f0: maxstack 3
;;   000 ldloca.s 0
;;   002 conv.u
;;   003 ldarg.1
;;   004 volatile.
;;   006 ldfld Instance.StackLimit
;;   00b blt.un 0c0
;;   010 ldarg.1
;;   011 ldfld Instance.Memory0
;;   016 ldfld Memory.Length
;;   01b stloc.2
;;   01c ldarg.1
;;   01d ldfld Instance.MemoryBase
;;   022 stloc.1
;;   023 ldarg.0
;;   024 brfalse 02e
;;   029 leave 091
;;   02e ldarg.0
;;   02f conv.u8
;;   030 ldloc.2
;;   031 ldc.i4.4
;;   032 conv.i8
;;   033 sub
;;   034 bgt.un 055
;;   039 ldarg.0
;;   03a conv.u
;;   03b ldloc.1
;;   03c add
;;   03d ldc.i4.1
;;   03e stind.i4
;;   03f ldarg.0
;;   040 conv.u
;;   041 ldloc.1
;;   042 add
;;   043 ldind.i4
;;   044 brfalse 050
;;   049 ldc.i4.2
;;   04a stloc.3
;;   04b leave 0b4
;;   050 leave 0b6
;;   055 ldc.i4.1
;;   056 call Traps.Throw
;;   05b ldnull
;;   05c throw
;;   05d stloc.s 4
;;   05f ldloc.s 4
;;   061 ldarg.1
;;   062 ldc.i4.0
;;   063 call GuestExceptions.IsThrown
;;   068 endfilter
;;   06a call GuestExceptions.Content
;;   06f stloc.s 4
;;   071 ldloc.s 4
;;   073 call GuestExceptions.First
;;   078 ldc.i4.0
;;   079 call HostCalls.ReadI32
;;   07e stloc.s 5
;;   080 ldarg.1
;;   081 ldfld Instance.Memory0
;;   086 ldfld Memory.Length
;;   08b stloc.2
;;   08c leave 0b1
;;   091 ldarg.1
;;   092 ldc.i4.0
;;   093 call GuestExceptions.Make
;;   098 stloc.s 4
;;   09a ldloc.s 4
;;   09c call GuestExceptions.First
;;   0a1 ldc.i4.0
;;   0a2 ldc.i4.4
;;   0a3 call HostCalls.WriteI32
;;   0a8 ldloc.s 4
;;   0aa call GuestExceptions.Throw
;;   0af ldnull
;;   0b0 throw
;;   0b1 ldloc.s 5
;;   0b3 ret
;;   0b4 ldloc.3
;;   0b5 ret
;;   0b6 ldc.i4.3
;;   0b7 ldarg.1
;;   0b8 tail.
;;   0ba call f0
;;   0bf ret
;;   0c0 ldarg.1
;;   0c1 call Traps.StackLimit
;;   0c6 ldnull
;;   0c7 throw
;;   try 023-05d filter 05d handler 06a-091
;; f1: maxstack 3
;;   000 ldloca.s 0
;;   002 conv.u
;;   003 ldarg.1
;;   004 volatile.
;;   006 ldfld Instance.StackLimit
;;   00b blt.un 01e
;;   010 ldarg.0
;;   011 ldc.i4.1
;;   012 conv.i8
;;   013 add
;;   014 ldarg.1
;;   015 ldarg.2
;;   016 tail.
;;   018 call f1
;;   01d ret
;;   01e ldarg.1
;;   01f call Traps.StackLimit
;;   024 ldnull
;;   025 throw
