;; mode jit
;; f ->
(module (tag $t0 (param i32)) (tag $t9) (memory $m0 1) (table 1 funcref) (global $g (mut i32) (i32.const 5)) (func $burn (global.set $g (i32.sub (global.get $g) (i32.const 1)))) (func $empty) (func $rec (param i32) (if (local.get 0) (then (call $rec (i32.sub (local.get 0) (i32.const 1))))))
 (func (export "f") (local $x exnref) (local $v0 i32)
 (if (i32.const 0) (then (block $b5 (br_if $b5 (i32.const 0))) (block $b14 (try_table (catch $t9 $b14) (block $q (try_table (catch_all $q) (call $rec (i32.const 3))))))))))
