;; Shift counts are masked; a division by a constant that cannot trap is plain; the constants 0, 1 and -1 of float
;; arithmetic are read from fields, so that the JIT does not fold a signalling NaN through; demotion of what may have
;; been promoted adds a negative zero.
(module
  (global $g (mut i32) (i32.const 7))
  (func (param $a i32) (param $b i32) (result i32) (i32.shl (local.get $a) (local.get $b)))
  (func (param $a i64) (result i64) (i64.shr_u (local.get $a) (i64.const 65)))
  (func (param $a i32) (param $b i32) (result i32) (i32.div_s (local.get $a) (local.get $b)))
  (func (param $a i32) (result i32) (i32.rem_u (local.get $a) (i32.const 10)))
  (func (param $a f32) (result f32) (f32.mul (local.get $a) (f32.const 1)))
  (func (result f32) (f32.const nan:0x200000))
  (func (param $a f64) (result f32) (f32.demote_f64 (local.get $a)))
  (func (param $a f64) (result i32) (f64.le (local.get $a) (f64.const 2)))
  (func (param $c i32) (result i32)
    (global.get $g)
    (global.set $g (i32.const 1))
    (select (local.get $c) (i32.const 5) (local.get $c))
    (i32.add)))

;; IL
;; f0: maxstack 8
;;   000 ldarg.0
;;   001 ldarg.1
;;   002 ldc.i4.s 31
;;   004 and
;;   005 shl
;;   006 ret
;; f1: maxstack 8
;;   000 ldarg.0
;;   001 ldc.i4.1
;;   002 shr.un
;;   003 ret
;; f2: maxstack 2
;;   000 ldarg.0
;;   001 ldarg.1
;;   002 call GuestMath.I32DivS
;;   007 ret
;; f3: maxstack 8
;;   000 ldarg.0
;;   001 ldc.i4.s 10
;;   003 rem.un
;;   004 ret
;; f4: maxstack 8
;;   000 ldarg.0
;;   001 ldsfld GuestMath.F32One
;;   006 mul
;;   007 ret
;; f5: maxstack 8
;;   000 ldc.i4 2141192192
;;   005 ldsfld GuestMath.UnknownZero
;;   00a or
;;   00b call GuestMath.F32ReinterpretI32
;;   010 ret
;; f6: maxstack 8
;;   000 ldarg.0
;;   001 ldsfld GuestMath.F64NegativeZero
;;   006 add
;;   007 conv.r4
;;   008 ret
;; f7: maxstack 8
;;   000 ldarg.0
;;   001 ldc.r8 2
;;   00a cgt.un
;;   00c ldc.i4.0
;;   00d ceq
;;   00f ret
;; f8: maxstack 3
;;   000 ldarg.1
;;   001 ldfld Instance.Cells
;;   006 ldind.i4
;;   007 stloc.0
;;   008 ldarg.1
;;   009 ldfld Instance.Cells
;;   00e ldc.i4.1
;;   00f stind.i4
;;   010 ldc.i4.5
;;   011 stloc.1
;;   012 ldarg.0
;;   013 ldloc.1
;;   014 xor
;;   015 ldarg.0
;;   016 ldc.i4.0
;;   017 cgt.un
;;   019 neg
;;   01a and
;;   01b ldloc.1
;;   01c xor
;;   01d stloc.1
;;   01e ldloc.0
;;   01f ldloc.1
;;   020 add
;;   021 ret
