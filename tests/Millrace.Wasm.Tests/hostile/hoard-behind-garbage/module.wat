(module
  (type $n (struct (field (ref null $n))))
  (type $a (array i8))
  (global $kept (mut (ref null $n)) (ref.null $n))
  (func (export "run")
    (loop $more
      (global.set $kept (struct.new $n (global.get $kept)))
      (drop (array.new_default $a (i32.const 300)))
      (br $more))))
