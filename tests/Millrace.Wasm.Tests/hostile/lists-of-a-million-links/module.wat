(module
  (type $n (struct (field (ref null $n))))
  (type $a (array (mut i64)))
  (func $list (result i32) (local $l (ref null $n)) (local $i i32)
    (loop $more
      (local.set $l (struct.new $n (local.get $l)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (local.set $i (i32.const 0))
    (loop $next
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.eqz (ref.is_null (local.tee $l (struct.get $n 0 (local.get $l)))))))
    (local.get $i))
  (func (export "run") (result i32)
    {{7|(drop (call $list)) }}
    (call $list)))
