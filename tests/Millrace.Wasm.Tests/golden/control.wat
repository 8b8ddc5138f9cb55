;; Comparisons merge into jumps; a loop's head checks for an interrupt; values of a block travel in locals; the code
;; behind a branch is skipped.
(module
  (func (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $again (i32.ne (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))
    (local.get $sum))
  (func (param $a i32) (result i32)
    (block $out (result i32)
      (drop (br_if $out (i32.const 1) (i32.eqz (local.get $a))))
      (br $out (i32.const 2))
      (unreachable)))
  (func (param $a f64) (param $b f64) (result f64)
    (if (result f64) (f64.lt (local.get $a) (local.get $b)) (then (local.get $a)) (else (local.get $b))))
  (func (param $i i32)
    (block $a (block $b (br_table $a $b 2 (local.get $i))))))

;; IL
;; f0: maxstack 2
;;   000 ldc.i4.0
;;   001 stloc.0
;;   002 ldarg.1
;;   003 volatile.
;;   005 ldfld Instance.InterruptRequest
;;   00a brtrue 021
;;   00f ldloc.0
;;   010 ldarg.0
;;   011 add
;;   012 stloc.0
;;   013 ldarg.0
;;   014 ldc.i4.1
;;   015 sub
;;   016 starg.s 0
;;   018 ldarg.0
;;   019 ldc.i4.0
;;   01a bne.un 002
;;   01f ldloc.0
;;   020 ret
;;   021 ldc.i4.s 14
;;   023 call Traps.Throw
;;   028 ldnull
;;   029 throw
;; f1: maxstack 1
;;   000 ldarg.0
;;   001 brtrue 00d
;;   006 ldc.i4.1
;;   007 stloc.0
;;   008 br 014
;;   00d ldc.i4.2
;;   00e stloc.0
;;   00f br 014
;;   014 ldloc.0
;;   015 ret
;; f2: maxstack 2
;;   000 ldarg.0
;;   001 ldarg.1
;;   002 bge.un 00e
;;   007 ldarg.0
;;   008 stloc.0
;;   009 br 010
;;   00e ldarg.1
;;   00f stloc.0
;;   010 ldloc.0
;;   011 ret
;; f3: maxstack 8
;;   000 ldarg.0
;;   001 switch 014 014
;;   00e br 013
;;   013 ret
;;   014 ret
