(module (func (export "run") {{4097|(block (try_table (catch_all 0) nop))}}))
