//! Whom to trust: the machine's roots, further ones, and servers whose very certificate was given.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// The platform's judgement; and where it knows no authority, a certificate that was given byte for byte is good for
/// the names in it. Bridges on the same machine sign theirs themselves, and mark them as authorities, which no chain may
/// end in. One that has run out or was revoked stays refused.
#[derive(Debug)]
pub(super) struct Trusting {
    by_roots: Verifier,
    given: Vec<CertificateDer<'static>>,
}

impl Trusting {
    pub(super) fn new(by_roots: Verifier, given: Vec<CertificateDer<'static>>) -> Self {
        Self { by_roots, given }
    }
}

/// Whether nothing more can be said for a certificate, or need be.
fn is_final(judged: &Result<ServerCertVerified, Error>) -> bool {
    use CertificateError as E;
    match judged {
        Ok(_) => true,
        Err(Error::InvalidCertificate(why)) => matches!(
            why,
            E::Expired
                | E::ExpiredContext { .. }
                | E::NotValidYet
                | E::NotValidYetContext { .. }
                | E::Revoked
        ),
        Err(_) => false,
    }
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged =
            self.by_roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if !is_final(&judged) && self.given.iter().any(|given| given == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_roots.supported_verify_schemes()
    }
}
