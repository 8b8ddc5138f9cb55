(module
  (type $a (array (mut i32)))
  (func (export "run") (result i32) (local $a (ref null $a)) (local $i i32) (local $s i32)
    (local.set $a (array.new_default $a (i32.const 100)))
    (loop $more
      (local.set $s (i32.add (local.get $s) (array.get $a (local.get $a) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $more))
    (local.get $s)))
