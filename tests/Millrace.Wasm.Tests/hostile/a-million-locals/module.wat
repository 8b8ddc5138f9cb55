(module (func (export "run") (local {{1000000|i64 }})))
