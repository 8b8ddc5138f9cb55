(module (func (export "run") (local i64) (loop $l (local.set 0 (i64.div_u (i64.const -1) (i64.or (local.get 0) (i64.const 1)))) (br $l))))
