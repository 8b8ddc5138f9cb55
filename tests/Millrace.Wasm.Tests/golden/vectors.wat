;; Direct calls on Vector128, no reinterpretation between operations on the same lanes. A constant is plain beside
;; integers, and hidden from the JIT where x * 1 would become x. Negation is a flipped sign.
(module
  (memory 1)
  (func (param $p i32) (param $q i32) (result i32)
    (i32x4.extract_lane 2
      (i32x4.add (i32x4.mul (v128.load (local.get $p)) (v128.load32_splat (local.get $q))) (v128.const i32x4 1 1 1 1))))
  (func (param $v v128) (result v128) (f32x4.neg (f32x4.mul (local.get $v) (v128.const f32x4 1 1 1 1))))
  (func (param $p i32) (param $v v128) (v128.store16_lane offset=2 7 (local.get $p) (local.get $v)))
  (func (param $v v128) (result i32)
    (if (result i32) (i8x16.all_true (local.get $v)) (then (i32.const 1)) (else (v128.any_true (local.get $v))))))

;; IL
;; f0: maxstack 3
;;   000 ldarg.2
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.2
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldarg.0
;;   014 conv.u8
;;   015 ldloc.1
;;   016 ldc.i4.s 16
;;   018 conv.i8
;;   019 sub
;;   01a bgt.un 077
;;   01f ldarg.1
;;   020 conv.u8
;;   021 ldloc.1
;;   022 ldc.i4.4
;;   023 conv.i8
;;   024 sub
;;   025 bgt.un 077
;;   02a ldarg.0
;;   02b conv.u
;;   02c ldloc.0
;;   02d add
;;   02e unaligned. 1
;;   031 ldobj Vector128<Byte>
;;   036 call Vector128.AsInt32<Byte>
;;   03b ldarg.1
;;   03c conv.u
;;   03d ldloc.0
;;   03e add
;;   03f ldind.i4
;;   040 call Vector128.Create
;;   045 call Vector128<Int32>.op_Multiply
;;   04a ldc.i8 4294967297
;;   053 ldc.i8 4294967297
;;   05c call Vector128.Create
;;   061 call Vector128.AsByte<Int64>
;;   066 call Vector128.AsInt32<Byte>
;;   06b call Vector128<Int32>.op_Addition
;;   070 ldc.i4.2
;;   071 call Vector128.GetElement<Int32>
;;   076 ret
;;   077 ldc.i4.1
;;   078 call Traps.Throw
;;   07d ldnull
;;   07e throw
;; f1: maxstack 3
;;   000 ldarg.0
;;   001 call Vector128.AsSingle<Byte>
;;   006 ldc.i8 4575657222473777152
;;   00f ldc.i8 4575657222473777152
;;   018 call Vector128.Create
;;   01d call Vector128.AsByte<Int64>
;;   022 ldsfld GuestVectors.UnknownZero
;;   027 call Vector128<Byte>.op_BitwiseOr
;;   02c call Vector128.AsSingle<Byte>
;;   031 call Vector128<Single>.op_Multiply
;;   036 call Vector128.AsByte<Single>
;;   03b ldc.i8 -9223372034707292160
;;   044 ldc.i8 -9223372034707292160
;;   04d call Vector128.Create
;;   052 call Vector128.AsByte<Int64>
;;   057 call Vector128<Byte>.op_ExclusiveOr
;;   05c ret
;; f2: maxstack 3
;;   000 ldarg.2
;;   001 ldfld Instance.Memory0
;;   006 ldfld Memory.Length
;;   00b stloc.1
;;   00c ldarg.2
;;   00d ldfld Instance.MemoryBase
;;   012 stloc.0
;;   013 ldarg.0
;;   014 conv.u8
;;   015 ldloc.1
;;   016 ldc.i4.4
;;   017 conv.i8
;;   018 sub
;;   019 bgt.un 033
;;   01e ldarg.0
;;   01f conv.u
;;   020 ldloc.0
;;   021 add
;;   022 ldc.i4.2
;;   023 conv.i
;;   024 add
;;   025 ldarg.1
;;   026 call Vector128.AsInt16<Byte>
;;   02b ldc.i4.7
;;   02c call Vector128.GetElement<Int16>
;;   031 stind.i2
;;   032 ret
;;   033 ldc.i4.1
;;   034 call Traps.Throw
;;   039 ldnull
;;   03a throw
;; f3: maxstack 2
;;   000 ldarg.0
;;   001 call Vector128<Byte>.get_Zero
;;   006 call Vector128.EqualsAny<Byte>
;;   00b brtrue 017
;;   010 ldc.i4.1
;;   011 stloc.0
;;   012 br 023
;;   017 ldarg.0
;;   018 call Vector128<Byte>.get_Zero
;;   01d call Vector128<Byte>.op_Inequality
;;   022 stloc.0
;;   023 ldloc.0
;;   024 ret
