(module (func (export "run") (local i32) (loop $l (br_table $l $l (local.get 0)))))
