(module (func (export "run") (param {{1001|i32 }})))
