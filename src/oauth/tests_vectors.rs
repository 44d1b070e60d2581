//! Signatures that others have made: the examples of the RFCs.

use super::Jwks;
use super::jwt::Jwt;
use crate::session::decode_in_place;

/// Whether the only key of a set has signed a token, and whether it still has when a bit of the signature, or of what is signed, is another.
fn has_signed(jwk: &str, token: &str) -> [bool; 3] {
    let jwks = Jwks::parse(jwk).unwrap();
    let [key] = &jwks.keys[..] else { panic!("{} keys", jwks.keys.len()) };
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = signature.as_bytes().to_vec();
    let length = decode_in_place(&mut signature).unwrap();
    signature.truncate(length);
    let mut other_signature = signature.clone();
    other_signature[length / 2] ^= 1;
    let other = signed.replacen('e', "f", 1);
    [
        key.has_signed(signed.as_bytes(), &signature),
        key.has_signed(signed.as_bytes(), &other_signature),
        key.has_signed(other.as_bytes(), &signature),
    ]
}

const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn hs256_of_rfc_7515_a_1() {
    let jwk =
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let token =
        format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(has_signed(jwk, &token), [true, false, false]);
    let mut buffer = [0; 512];
    let jwt = Jwt::read(token.as_bytes(), &mut buffer).unwrap();
    assert_eq!(jwt.claims.issuer.unwrap().raw(), br#""joe""#);
    assert_eq!(jwt.claims.expires.unwrap().as_u64(), Some(1_300_819_380));
    assert!(jwt.claims.audience.is_none() && jwt.key.is_none());
}

#[test]
fn eddsa_of_rfc_8037_a_4() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(has_signed(jwk, token), [true, false, false]);
}

#[test]
#[cfg(feature = "rs256")]
fn rs256_of_rfc_7515_a_2() {
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9u\
         JdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-\
         eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    assert_eq!(has_signed(RSA, &token), [true, false, false]);
    // A byte more or less is no signature, whatever number it is.
    let key = &Jwks::parse(RSA).unwrap().keys[0];
    for length in [0, 1, 255, 257, 512] {
        assert!(!key.has_signed(b"", &vec![0; length]) && !key.has_signed(b"", &vec![1; length]), "{length}");
    }
    // Nor is a number that is not below the modulus.
    assert!(!key.has_signed(b"", &[0xff; 256]));
}

#[cfg(feature = "rs256")]
const RSA: &str = concat!(
    r#"{"kty":"RSA","e":"AQAB","n":""#,
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_",
    "YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD",
    "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    r#""}"#
);

#[test]
#[cfg(feature = "es256")]
fn es256_of_rfc_7515_a_3() {
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert_eq!(has_signed(jwk, &token), [true, false, false]);
    let key = &Jwks::parse(jwk).unwrap().keys[0];
    // Zeros are no numbers of a signature, nor is that in another form.
    for signature in [vec![], vec![0; 64], vec![0xff; 64], vec![1; 63], vec![1; 65], vec![0x30; 70]] {
        assert!(!key.has_signed(b"x", &signature), "{signature:?}");
    }
}
