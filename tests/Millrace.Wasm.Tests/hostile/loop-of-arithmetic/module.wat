(module (func (export "run") (local i64) (loop $l (local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (i64.const 5))) (br_if $l (i64.ne (local.get 0) (i64.const 7))) (br $l))))
