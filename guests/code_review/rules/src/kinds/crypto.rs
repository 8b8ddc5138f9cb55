//! Cryptography that does not protect: checks switched off, weak functions, predictable values.

use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::pattern::Pattern;
use crate::view::{FileView, View};

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        if file.place.is_harmless()
            || file.place.lock
            || file.place.manifest
            || file.lang.is_prose()
            || file.place.workflow
        {
            continue;
        }
        for at in 0..file.lines.len() {
            let line = &file.lines[at];
            // Text inside long strings is documentation more often than not.
            let said = line.code.trim().is_empty();
            if line.is_new() && !said {
                let _ = switched_off(file, at, report)
                    || weak_cipher(file, at, report)
                    || fixed_nonce(file, at, report)
                    || weak_hash(file, at, report)
                    || predictable(file, at, report)
                    || lowered(file, at, report)
                    || token(file, at, report);
            }
            if line.is_gone() {
                compared(file, at, report);
                no_longer_filled(file, at, report);
            }
        }
    }
}

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) -> bool {
    let severity = if score >= 70 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::UnsafeCrypto, rule, severity, score, message);
    true
}

const UNCHECKED_TLS: &str = r"(?i)\bverify\s*=\s*False\b|\brejectUnauthorized['\x22]?\s*[:=]\s*false
    |\bInsecureSkipVerify\s*[:=]+\s*true|TLS\w*\.Insecure\s*[:=]+\s*true|SSL_VERIFY(?:PEER|HOST)\s*(?:,|=>)\s*(?:0
    |false)\b|_create_unverified_context|\bCERT_NONE\b|check_hostname\s*=\s*False|danger_accept_invalid_(?:certs
    |hostnames)\s*\(\s*true|NODE_TLS_REJECT_UNAUTHORIZED['\x22\]]*\s*[:=]\s*['\x22]?0|\bVERIFY_NONE\b
    |ALLOW_ALL_HOSTNAME_VERIFIER|NoopHostnameVerifier|TrustAllStrategy|InsecureTrustManagerFactory
    |DangerousAcceptAnyServerCertificateValidator|\bSSL_VERIFY_NONE\b|verify_ssl\s*[:=]>?\s*false
    |ssl_verify(?:_peer)?\s*[:=]>?\s*false|verify_peer(?:_name)?['\x22]?\s*=>\s*false
    |allow_self_signed['\x22]?\s*=>\s*true|strictSSL['\x22]?\s*:\s*false|['\x22]verify['\x22]\s*=>\s*false
    |setAllowsAnyHTTPSCertificate|validatesDomainName\s*=\s*false|trustServerCertificate\s*[=:]\s*true
    |badCertificateCallback\s*=|set_verify\(\s*(?:ssl::)?SslVerifyMode::NONE
    |insecure_ssl['\x22]?\s*[:=]\s*['\x22]?(?:1|true)|skip_tls_verify\s*[:=]\s*true
    |insecure-skip-tls-verify\s*[:=]\s*true|tls_insecure\s*[:=]\s*true|sslmode=disable|-SkipCertificateCheck
    |VerificationMode::None|QSslSocket::VerifyNone|ignoreSslErrors\(\)";

fn switched_off(file: &FileView, at: usize, report: &mut Report) -> bool {
    let off = pattern!(UNCHECKED_TLS);
    let line = &file.lines[at];
    let live = line.live.as_str();
    if !off.is_match(live) {
        return accepts_all(file, at, report);
    }
    if file.pair_of(at).is_some_and(|old| off.is_match(&old.live)) {
        return false;
    }
    let database = live.contains("sslmode=disable");
    let local = pattern!(r"(?i)localhost|127\.0\.0\.1|unix:|test|example").is_match(live);
    // `verify` means many things; only calls that speak to others mean certificates.
    let vague = pattern!(r"\bverify\s*=\s*False\b").is_match(live)
        && !pattern!(
            r"(?i)request|session|client|httpx|get\(|post\(|put\(|ssl|tls|https?|boto|patch\(|delete\(|hvac|vault"
        )
        .is_match(&file.around(at, 6, 2));
    let asked = pattern!(
        r"(?i)\bif\b.*\b(?:insecure|skip|debug|dev|verify)|\b(?:insecure|skip_?verify
        |no_?verify|allow_?insecure)\w*\s*(?:\?|&&|and\b|if\b)"
    )
    .is_match(&file.around(at, 3, 0));
    let compared = pattern!(
        r"(?:[!=]=|\bis\b|\bin\b|\bcase\b|\bif\b)[^=]*(?:CERT_NONE|VERIFY_NONE)
            |(?:CERT_NONE|VERIFY_NONE)\s*(?::|=>|[!=]=)\s*|\belse\s+\w*\.?CERT_NONE"
    )
    .is_match(live);
    if compared
        || local
        || vague
        || asked
        || live.contains("argparse")
        || live.contains("default=") && live.contains("add_argument")
    {
        return false;
    }
    let score = if database { 52 } else { 82 };
    let message = "The certificate of the other side is not checked, so anyone on the way can read and change what \
        is sent. Check it; for a private authority give its certificate.";
    say(report, file, at, "unchecked-certificate", score, message.to_owned())
}

/// Callbacks that say yes to every certificate or host name.
fn accepts_all(file: &FileView, at: usize, report: &mut Report) -> bool {
    let live = file.lines[at].live.as_str();
    let callback = pattern!(
        r"(?:ServerCertificate(?:Custom)?ValidationCallback|RemoteCertificateValidationCallback|hostnameVerifier
            |HostnameVerifier|setHostnameVerifier|onBadCertificate|checkServerIdentity)\b.*(?:=>|->
            |\{)\s*(?:\{\s*)?(?:return\s+)?(?:true|undefined|null)\b|checkServerIdentity\s*:\s*\(\)\s*=>"
    );
    let overridden = pattern!(
        r"\b(?:boolean verify\(String|fun verify\(\w*:? ?String|(?:public )?void checkServerTrusted\(
            |override fun checkServerTrusted\()"
    );
    let empty = || {
        overridden.is_match(live)
            && (pattern!(r"\{\s*(?:return true;?)?\s*\}\s*$|=\s*(?:true|Unit)\s*$").is_match(live)
                || file.below(at, 1).any(|l| pattern!(r"^\s*(?:\}|return true;?)\s*$").is_match(&l.live)))
    };
    if !callback.is_match(live) && !empty() {
        return false;
    }
    let message = "Every certificate is accepted, so anyone on the way can read and change what is sent. Leave the \
        default check in place.";
    say(report, file, at, "unchecked-certificate", 84, message.to_owned())
}

fn weak_cipher(file: &FileView, at: usize, report: &mut Report) -> bool {
    let live = file.lines[at].live.as_str();
    let weak = pattern!(
        r"\bMODE_ECB\b|AES/ECB|\bmodes\.ECB\b|CipherMode\.ECB|['\x22](?:aes|des|bf|camellia)-(?:\d+-)?ecb['\x22]
            |EVP_(?:aes_\d+_ecb|des_\w+|rc4|bf_\w+)\b|Cipher\.getInstance\(\s*['\x22](?:AES|DES|DESede|RC4
            |Blowfish)(?:/ECB/\w+)?['\x22]|\bDES\.new\(|\bARC4\.new\(|DES3\.new\(|\bdes\.New(?:TripleDES)?Cipher\(
            |\brc4\.NewCipher\(|algorithms\.(?:TripleDES|ARC4|Blowfish|IDEA)\(|createCipheriv\(\s*['\x22](?:des|rc4
            |bf|rc2)|\bcreateCipher\(|\bDES\.Create\(|TripleDES\.Create\(|RC2\.Create\(
            |openssl_encrypt\([^,]+,\s*['\x22](?:des|rc4|aes-\d+-ecb)|MCRYPT_(?:DES|RIJNDAEL|MODE_ECB)
            |kCCOptionECBMode|CryptoJS\.(?:DES|RC4|TripleDES)\.|mode:\s*CryptoJS\.mode\.ECB"
    );
    let old_tls = pattern!(
        r"(?i)PROTOCOL_(?:SSLv2|SSLv3|TLSv1|TLSv1_1)\b|SslProtocols\.(?:Ssl2|Ssl3|Tls|Tls11)\b|VersionTLS1[01]\b
            |VersionSSL30|TLSv1_method|SSLv3_method|minVersion['\x22]?\s*:\s*['\x22]TLSv1(?:\.1)?['\x22]
            |SecurityProtocolType\.(?:Ssl3|Tls|Tls11)\b|ssl_protocols\b.*\bTLSv1(?:\.1)?\b
            |secureProtocol['\x22]?\s*:\s*['\x22](?:SSLv3|TLSv1)_
            |minimum_tls_version['\x22]?\s*=\s*['\x22](?:TLS1_0|TLS1_1|1\.0|1\.1)
            |ssl_version\s*=\s*:?['\x22]?(?:SSLv3|TLSv1)\b"
    );
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    if weak.is_match(live) && !weak.is_match(old) {
        let reads = pattern!(r"(?i)decrypt|legacy|compat|unwrap").is_match(&format!("{live} {}", file.context_of(at)));
        let message = "This cipher or mode shows equal blocks or can be broken. Use an authenticated one, AES-GCM \
            or ChaCha20-Poly1305, with a fresh nonce each time.";
        return !reads && say(report, file, at, "weak-cipher", 78, message.to_owned());
    }
    if old_tls.is_match(live)
        && !old_tls.is_match(old)
        && !pattern!(
            r"(?i)op_no|~|hasattr|defined\(|^\s*[\w.]*(?:PROTOCOL|SSLv|TLSv)\w*\s*[,:]|disable
            |exclude|deprecated|!=|case\b|match\b"
        )
        .is_match(live)
    {
        let message = "SSL 3, TLS 1.0 and 1.1 are broken and switched off elsewhere. Ask for TLS 1.2 at least.";
        return say(report, file, at, "old-tls", 68, message.to_owned());
    }
    false
}

fn fixed_nonce(file: &FileView, at: usize, report: &mut Report) -> bool {
    let live = file.lines[at].live.as_str();
    let constant = pattern!(
        r"(?i)\b(?:iv|nonce|initvector|init_vector|initialization_?vector
            |salt)\b['\x22]?\s*(?::\s*[\w\[\]<>; ]+)?(?::=|=|:)\s*(?:b?['\x22](?:\\x00|[0-9a-f]{8,}|[\w-]{8,})
            |b['\x22]\\0|bytes\(\d+\)|bytes\.fromhex\(\s*['\x22]|new\s+byte\s*\[\s*\w*\s*\]\s*(?:;|\{\s*0)
            |\[\s*0(?:u8)?\s*;\s*\w+\s*\]|\[\]byte\(\s*[\x22`]|make\(\[\]byte,\s*\w+\)\s*$
            |Buffer\.alloc\(\s*\w+\s*(?:,\s*0)?\)|Buffer\.from\(\s*['\x22]|new Uint8Array\(\s*\d+\s*\)
            |ByteArray\(\s*\w+\s*\)\s*$|str_repeat\(|[\x22']0{8,})|IvParameterSpec\(\s*(?:new byte\[
            |[\x22'][^\x22']+[\x22']\.(?:getBytes|toByteArray)|ByteArray\()|Nonce::from_slice\(\s*(?:b\x22|&\[0)
            |Nonce::default\(\)|(?:createCipheriv|createDecipheriv)\([^,]+,[^,]+,\s*(?:['\x22]|Buffer\.alloc\(
            |null)|\.(?:Seal|seal)\([^,]*,\s*make\(\[\]byte"
    );
    if !constant.is_match(live) || file.pair_of(at).is_some_and(|old| constant.is_match(&old.live)) {
        return false;
    }
    // An empty buffer that is filled on one of the next lines is the usual way to make one.
    let fills = pattern!(
        r"(?i)rand|fill|getrandom|read_?full|io\.Read|secure|nextBytes|urandom|copy\(|counter|derive|decode|generate
            |GetBytes|arraycopy|CopyTo|read_exact|parse|split|memcpy|set\("
    );
    let filled = file.below(at, 8).any(|l| fills.is_match(&l.live)) || fills.is_match(live);
    let near = file.around(at, 12, 12);
    let used =
        pattern!(r"(?i)encrypt|cipher|aes|gcm|cbc|seal|hash|pbkdf|scrypt|argon|bcrypt|derive|crypt").is_match(&near);
    if filled || !used {
        return false;
    }
    let message = "The value that must be fresh for each message is a constant, so equal texts give equal output \
        and keys can be attacked. Draw it at random and store it with the result.";
    say(report, file, at, "fixed-nonce", 78, message.to_owned())
}

const SECRETS: &str = r"(?i)passw|pwd|secret|token|signature|\bsign|hmac|\bmac\b|auth|session|credential|api_?key
    |otp|csrf|\bsalt|cookie|reset|nonce|license";

fn weak_hash(file: &FileView, at: usize, report: &mut Report) -> bool {
    let weak = pattern!(
        r"\bhashlib\.(?:md5|sha1|md4)\b|hashlib\.new\(\s*['\x22](?:md5|sha1)|createH(?:ash|mac)\(\s*['\x22](?:md5
            |sha1)['\x22]|\bmd5\.(?:New|Sum)\b|\bsha1\.(?:New|Sum)\b|MessageDigest\.getInstance\(\s*['\x22](?:MD5
            |SHA-?1)['\x22]|DigestUtils\.(?:md5|sha1)\w*\(|\bMD5\.(?:Create|HashData)\b|\bSHA1\.(?:Create
            |HashData)\b|(?:MD5|SHA1)CryptoServiceProvider|(?:Digest|OpenSSL::Digest)::(?:MD5|SHA1)|(?:^
            |[^\w>:$])(?:md5|sha1)\s*\(\s*\$|\bhash(?:_hmac)?\(\s*['\x22](?:md5|sha1)['\x22]
            |Mac\.getInstance\(\s*['\x22]Hmac(?:MD5|SHA1)|CryptoJS\.(?:MD5|SHA1)|\bEVP_(?:md5|sha1)\b|HMACMD5
            |Md5::(?:new|digest)|Sha1::(?:new|digest)|CC_MD5\(|Insecure\.(?:MD5|SHA1)
            |digestmod\s*=\s*['\x22]?(?:hashlib\.)?(?:md5|sha1)"
    );
    let live = file.lines[at].live.as_str();
    if !weak.is_match(live) || file.pair_of(at).is_some_and(|old| weak.is_match(&old.live)) {
        return false;
    }
    let harmless = pattern!(
        r"(?i)usedforsecurity\s*=\s*False|e-?tag|cache|checksum|fingerprint|gravatar|content-?md5|dedup|bucket|shard
            |file_?hash|digest_file|uuid|git|blob|color|colour|filename|cache_?key|identicon|avatar|partition|s3
            |sentry|hibp|pwned|breach|range|websocket|sec-?key|legacy|compat|integrity"
    );
    let strong = pattern!(r"(?i)sha-?(?:2|256|384|512)|blake|bcrypt|argon|scrypt|pbkdf2|password_hash|sha3");
    let replaced = file.pair_of(at).is_some_and(|old| strong.is_match(&old.live))
        || file
            .blocks
            .iter()
            .filter(|b| b.lines.contains(&at))
            .any(|b| b.removed.iter().any(|i| strong.is_match(&file.lines[*i].live)));
    let near = format!("{live}\n{}\n{}", file.context_of(at), file.around(at, 3, 2));
    let about = pattern!(SECRETS).is_match(live) || pattern!(SECRETS).is_match(&near);
    if harmless.is_match(&near) || !(replaced || about) {
        return false;
    }
    let password = pattern!(r"(?i)passw|pwd").is_match(&near);
    let score = if replaced {
        78
    } else if password {
        76
    } else {
        60
    };
    let message = if password {
        "MD5 and SHA-1 are guessed at billions a second, so stored passwords are found. Use Argon2, scrypt or bcrypt."
    } else {
        "MD5 and SHA-1 no longer protect against forgery. Use SHA-256, or HMAC with it."
    };
    say(report, file, at, "weak-hash", score, message.to_owned())
}

const SECURE_RANDOM: &str = r"(?i)crypto\.random|randomBytes|getRandomValues|randomUUID|secrets\.|SystemRandom
    |os\.urandom|SecureRandom|crypto/rand|RandomNumberGenerator|RNGCrypto|random_bytes|random_int|OsRng|getrandom
    |SecRandom|arc4random|token_(?:hex|bytes|urlsafe)|openssl_random|RAND_bytes|/dev/urandom|thread_rng";

fn predictable(file: &FileView, at: usize, report: &mut Report) -> bool {
    let weak = pattern!(
        r"\bMath\.random\(\)|\brandom\.(?:random|randint|choice|choices|sample|randrange|getrandbits|shuffle)\(
            |\brand\.(?:Intn?|Int63n?|Int31n?|Seed|Read|Uint\d+|Float64|N|IntN|Perm|Shuffle)\(|\bnew Random\(
            |\bRandom\(\)\.(?:next|Next)|Random\.(?:Shared\.)?Next|(?:^|\W)(?:mt_)?rand\(|\bmt_rand\(|\buniqid\(
            |\bshuffle\(\s*\$|str_shuffle\(|\blcg_value\(|\bsrand\(|RandomStringUtils\.|Random\.next(?:Int|Long
            |Bytes)|ThreadLocalRandom|\bdrand48\(|Kernel\.rand|Random\.rand|SmallRng|StdRng::seed_from_u64
            |math/rand|uuid\.uuid1\(|std::mt19937"
    );
    let live = file.lines[at].live.as_str();
    if !weak.is_match(live)
        || pattern!(SECURE_RANDOM).is_match(live)
        || file.pair_of(at).is_some_and(|old| weak.is_match(&old.live))
    {
        return false;
    }
    let replaced = file.pair_of(at).is_some_and(|old| pattern!(SECURE_RANDOM).is_match(&old.live))
        || file
            .blocks
            .iter()
            .filter(|b| b.lines.contains(&at))
            .any(|b| b.removed.iter().any(|i| pattern!(SECURE_RANDOM).is_match(&file.lines[*i].live)));
    let valuable = pattern!(
        r"(?i)token|secret|passw|otp\b|nonce|salt|session_?id|csrf|reset|api_?key|private_?key|verification|invite
            |\bcoupon|voucher|credential|signing|state\b.*oauth|challenge|\bpin\b|recovery|one_?time"
    );
    let harmless = pattern!(
        r"(?i)jitter|backoff|delay|sleep|retry|color|sampl|shuffle\(|animation|position|placeholder|mock|demo|seed\b
            |port|poll|tokeniz|max_token|num_token|vocab|token_ids|next_token|logits|temperature"
    );
    let near = format!("{live}\n{}\n{}", file.context_of(at), file.around(at, 4, 0));
    let import = live.contains("math/rand") && !live.contains('(');
    if harmless.is_match(live)
        || import && !replaced
        || !(replaced || valuable.is_match(live) || valuable.is_match(&near) && !harmless.is_match(&near))
    {
        return false;
    }
    let score = if replaced {
        82
    } else if valuable.is_match(live) {
        76
    } else {
        64
    };
    let message = "This generator can be predicted, so what is made from it can be guessed. Use the one for secrets \
        (crypto.randomBytes, secrets, SecureRandom, crypto/rand, random_bytes, OsRng).";
    say(report, file, at, "predictable-random", score, message.to_owned())
}

/// Work factors and key sizes that went down, or begin too low.
fn lowered(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let factor = pattern!(
        r"(?i)\b\w*(?:iterations?|rounds|saltRounds|cost|work_?factor|log_?n|key_?(?:size|length|bits)|bits
            |modulus)\w*\b"
    );
    let number = pattern!(r"\b(\d[\d_]*)\b");
    let numbers = |text: &str| -> Vec<u64> {
        number.all(text).iter().filter_map(|h| h.group(1).replace('_', "").parse().ok()).collect()
    };
    let about = pattern!(r"(?i)bcrypt|pbkdf2|scrypt|argon|rsa|salt|hash|password|key_?(?:size|length)|iterations|kdf");
    if let Some(old) = file.pair_of(at) {
        let subject = pattern!(
            r"(?i)bcrypt|pbkdf2|scrypt|argon|rsa|genrsa|saltrounds|gensalt|password_hash|key_?gen|KeyPair|Rfc2898"
        );
        let (before, after) = (numbers(&old.live), numbers(live));
        let relevant = subject.is_match(live)
            || (factor.is_match(live)
                && about.is_match(&file.around(at, 10, 10))
                && pattern!(r"(?i)crypt|hash|password|kdf|rsa|key").is_match(&format!(
                    "{} {}",
                    file.path,
                    file.around(at, 10, 10)
                )));
        let fell = before.len() == after.len()
            && before.iter().zip(&after).filter(|(a, b)| a != b).count() == 1
            && before.iter().zip(&after).any(|(a, b)| b < a && *a >= 4 && (b * 10 <= a * 9));
        if relevant
            && fell
            && (subject.is_match(live) || pattern!(r"(?i)iterations|rounds|cost|factor|bits|size").is_match(live))
        {
            let message = "The work or the key became smaller, so guessing became cheaper. Keep the larger value; \
                if it is too slow, measure and say so.";
            return say(report, file, at, "weaker-parameters", 78, message.to_owned());
        }
    }
    let low = pattern!(
        r"(?i)(?:generate_private_key\(.*key_size\s*=\s*|RSA\.generate\(\s*|GenerateKey\(\s*rand\.Reader,\s*
            |modulusLength['\x22]?\s*:\s*|genrsa\b.*\s|RSA\.Create\(\s*|KeySize\s*=\s*)(512|768|1024)\b
            |bcrypt\.(?:hash|hashSync|genSalt|genSaltSync)\((?:[^,()]+,\s*)?([1-7])\s*[,)]
            |gensalt\(\s*(?:rounds\s*=\s*)?([1-9])\s*\)|PBKDF2\w*\(.*?iterations?\s*=\s*(\d{1,4})\b"
    );
    if low.is_match(live) {
        let message = "The key or the work factor is too small to resist guessing today. Use RSA of 2048 bits at \
            least, bcrypt 10 or more, PBKDF2 with hundreds of thousands of rounds.";
        return say(report, file, at, "weaker-parameters", 72, message.to_owned());
    }
    false
}

fn token(file: &FileView, at: usize, report: &mut Report) -> bool {
    let live = file.lines[at].live.as_str();
    let off = pattern!(
        r"(?i)['\x22]?verify_(?:signature|exp|aud|iss)['\x22]?\s*[:=]>?\s*False
            |algorithms?['\x22]?\s*[:=]>?\s*\[?[^\]]*['\x22]none['\x22]|ignoreExpiration['\x22]?\s*:\s*true
            |JWT\.decode\([^)]*,\s*(?:nil|null|None),\s*false|ParseUnverified\(|ValidateLifetime\s*=\s*false
            |ValidateIssuerSigningKey\s*=\s*false|RequireSignedTokens\s*=\s*false|ValidateAudience\s*=\s*false
            |ValidateIssuer\s*=\s*false|RequireExpirationTime\s*=\s*false|insecure_decode\(
            |insecure_disable_signature_validation|dangerous_insecure_decode|jwt\.decode\([^)]*verify\s*=\s*False
            |SignatureAlgorithm\.NONE|Algorithm\.none\(\)"
    );
    let decodes = pattern!(r"\bjwt(?:\.|_)?decode\(|\bjwt\.decode\(|JWT\.decode\(|jwtDecode\(");
    let verified = pattern!(r"\bjwt\.verify\(|JWT\.require\(|parseClaimsJws|\.verify\(|jwtVerify\(");
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    if off.is_match(live) && !off.is_match(old) {
        let whole = file.around(at, 4, 4);
        if pattern!(r"(?i)unverified_header|peek|debug").is_match(&whole) {
            return false;
        }
        let message = "The token's signature, age or addressee is not checked, so anyone can write one that is \
            accepted. Check them.";
        return say(report, file, at, "unchecked-token", 82, message.to_owned());
    }
    if decodes.is_match(live) && verified.is_match(old) && !verified.is_match(live) {
        let message =
            "The token was verified and is now only decoded: anyone can write one that is accepted. Verify it.";
        return say(report, file, at, "unchecked-token", 84, message.to_owned());
    }
    false
}

/// The line that drew a nonce or a salt at random went, and the buffer stays.
fn no_longer_filled(file: &FileView, at: usize, report: &mut Report) {
    let fills = pattern!(
        r"(?:nextBytes|\bFill|GetBytes|rand\.Read|getrandom|fill_bytes|try_fill_bytes|RAND_bytes|randombytes_buf
            |getRandomValues|randomFillSync|SecRandomCopyBytes
            |ReadFull\([\w.]*rand[\w.]*,)\s*\(?\s*&?(?:mut\s+)?(\w*(?:iv|nonce|salt|key|token|secret|challenge)\w*)"
    );
    let line = &file.lines[at];
    let Some(hit) = fills.find(&line.code) else { return };
    let name = hit.group(1);
    let again = file.lines.iter().any(|l| {
        l.is_added()
            && l.code.contains(name)
            && pattern!(r"(?i)rand|fill|derive|counter|increment|copy|hmac|hkdf").is_match(&l.code)
    });
    let kept = file.lines.iter().any(|l| !l.is_removed() && l.code.contains(name));
    if kept && !again && line.pair.is_none() {
        let message = format!(
            "`{name}` is no longer drawn at random and keeps the value it was made with, so it \
            repeats. Fill it anew for each use."
        );
        say(report, file, at, "fixed-nonce", 80, message);
    }
}

/// A comparison in constant time that went.
fn compared(file: &FileView, at: usize, report: &mut Report) {
    let constant = pattern!(
        r"compare_digest\(|timingSafeEqual\(|hash_equals\(|ConstantTimeCompare\(|constant_time_(?:compare|eq)
            |MessageDigest\.isEqual\(|secure_compare|FixedTimeEquals\(|hmac\.Equal\(|CRYPTO_memcmp
            |verify_slices_are_equal|ct_eq\(|sodium_memcmp|secureCompare\(|crypto_verify_\d+
            |Arrays\.constantTimeAreEqual|SlowEquals"
    );
    let line = &file.lines[at];
    if !constant.is_match(&line.live) || line.live.contains("import") {
        return;
    }
    let still = file.lines.iter().any(|l| l.is_added() && constant.is_match(&l.live));
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let equal = plain_comparison();
    let compares = block.and_then(|b| b.added.iter().copied().find(|i| equal.is_match(&file.lines[*i].code)));
    if let (false, Some(new)) = (still, compares) {
        let message = "The comparison now stops at the first byte that differs, which lets a caller find a valid \
            value byte by byte. Compare in constant time.";
        say(report, file, new, "plain-comparison", 80, message.to_owned());
    }
}

fn plain_comparison() -> &'static Pattern {
    pattern!(r"===?|!==?|\.equals\(|bytes\.Equal\(|memcmp\(|strcmp\(|\.SequenceEqual\(|strncmp\(")
}
