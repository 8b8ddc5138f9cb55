(module (memory 1) (data (i32.const 0xfffffff0) "0123456789abcdef0123456789abcdef") (func (export "run")))
