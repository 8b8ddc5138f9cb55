(module
  (type $n (struct (field i64)))
  (type $a (array (mut i64)))
  (func (export "run")
    (loop $more
      (drop (struct.new $n (i64.const 1)))
      (drop (array.new $a (i64.const 1) (i32.const 100)))
      (br $more))))
