(module
  (table $t 1 funcref)
  (func (export "run") (result i32)
    (table.grow $t (ref.null func) (i32.const 10000000))))
