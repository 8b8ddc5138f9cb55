(module
  (table $t 0 funcref)
  (func (export "run") (result i32)
    (loop $more
      (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1))))
    (table.size $t)))
