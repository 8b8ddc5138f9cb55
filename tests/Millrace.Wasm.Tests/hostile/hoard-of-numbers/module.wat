(module
  (type $a (array (mut i31ref)))
  (global $kept (mut (ref null $a)) (ref.null $a))
  (func (export "run") (local $i i32)
    (global.set $kept (array.new_default $a (i32.const 400000)))
    (loop $more
      (array.set $a (global.get $kept) (local.get $i) (ref.i31 (i32.add (local.get $i) (i32.const 100000))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 400000))))))
