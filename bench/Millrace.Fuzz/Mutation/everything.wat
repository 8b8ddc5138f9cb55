(module $m (@name "n") (@custom "c" (after func) "x")
  (type $t (func (param i32) (result i32))) (rec (type $s (sub (struct (field $f (mut i8)))))
    (type $a (array (ref null $s))))
  (import "a" "b" (func $i (type $t))) (import "a" "m" (memory 1 2))
  (table $tab 2 funcref) (table (ref $t) (elem $g)) (memory $mem i64 1) (memory (data "a\00\u{41}"))
  (global $glo (mut f32) (f32.const -0x1.8p-3)) (tag $tag (param i64)) (export "e" (func $g)) (start $n)
  (elem (table $tab) (offset (i32.const 0)) func $g) (elem $d declare funcref (item ref.func $g))
  (data $dat (memory $mem) (i64.const 0) "bytes")
  (func $n (local $x i32) (local v128)
    (block $l (result i32) (if $k (i32.const 1) (then (br $l (i32.const 2))) (else)) (i32.const 3)) drop
    (try_table (catch $tag 0) (catch_all_ref 0) (throw $tag (i64.const 0x7f)))
    (v128.store offset=16 align=8 (i32.const 0) (v128.const i32x4 1 2 3 4))
    (drop (select (result f64) (f64.const nan:0x123) (f64.const inf) (local.get $x)))
    (memory.copy $mem $mem (i64.const 0) (i64.const 1) (i64.const 2))
    (call_indirect $tab (type $t) (i32.const 0) (i32.const 1)) drop
    (br_on_cast 0 anyref (ref $s) (struct.new_default $s)) drop
    loop $q br_table 0 $q 0 (i32.const 1) end)
  (func $g (export "g") (type $t) (i32x4.extract_lane 3 (v128.load8_lane 0 offset=1 15
    (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 1 2)
    (v128.const f64x2 1e3 -nan))))))
