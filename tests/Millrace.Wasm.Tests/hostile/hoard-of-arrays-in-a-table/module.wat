(module
  (type $a (array i8))
  (table $t 0 arrayref)
  (func (export "run") (result i32)
    (loop $more
      (drop (table.grow $t (array.new_default $a (i32.const 1000)) (i32.const 1))) (br $more))
    (i32.const 0)))
