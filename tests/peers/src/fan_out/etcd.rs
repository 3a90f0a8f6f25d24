//! etcd: watches on one key, each on an HTTP/2 connection of its own; the update is a put.
//!
//! Deliberately gRPC by hand, two methods of it, so that the client costs little: a message is five bytes and protobuf.

use crate::fan_out::tls::Connection;
use crate::fan_out::{Arrivals, Peer, server};
use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::Request;
use prost::Message;
use std::sync::Arc;

const KEY: &[u8] = b"doors/update";

/// A gRPC message begins with whether it is compressed and its length.
const PREFIX_BYTES: usize = 5;

/// The store.
pub struct Etcd;

impl Peer for Etcd {
    const NAME: &'static str = "etcd";
    const PACKAGE: &'static str = "etcd-server";
    const PROGRAMS: &'static [&'static str] = &["etcd"];
    const ASK_VERSION: &'static str = "--version";
    const ALPN: Option<&'static str> = Some("h2");
    type Publisher = SendRequest<Bytes>;

    fn arguments(folder: &str, port: u16) -> Result<Vec<String>> {
        let (clients, peers) =
            (format!("https://127.0.0.1:{port}"), format!("http://127.0.0.1:{}", server::free_port()?));
        let options = [
            ("data-dir", format!("{folder}/data")),
            ("listen-client-urls", clients.clone()),
            ("advertise-client-urls", clients),
            ("listen-peer-urls", peers.clone()),
            ("initial-advertise-peer-urls", peers.clone()),
            ("initial-cluster", format!("default={peers}")),
            ("client-cert-auth", "true".to_owned()),
            ("trusted-ca-file", format!("{folder}/ca.pem")),
            ("cert-file", format!("{folder}/server.pem")),
            ("key-file", format!("{folder}/server.key")),
            ("logger", "zap".to_owned()),
            ("log-level", "error".to_owned()),
        ];
        Ok(options.into_iter().map(|(name, value)| format!("--{name}={value}")).collect())
    }

    async fn subscribe(connection: Connection, _number: usize, arrivals: Arc<Arrivals>) -> Result<()> {
        let mut client = client(connection).await?;
        let asked = WatchRequest { create_request: Some(WatchCreateRequest { key: KEY.to_vec() }) };
        let (requests, mut responses) = call(&mut client, "/etcdserverpb.Watch/Watch", &asked, false).await?;
        let created: WatchResponse = responses.next().await?;
        ensure!(created.created, "etcd does not watch");
        tokio::spawn(async move {
            // The stream and its connection are open for as long as these are held.
            let _held = (client, requests);
            // Whoever loses the connection is missed when the update does not arrive.
            while let Ok(response) = responses.next::<WatchResponse>().await {
                response.events.iter().filter_map(|event| event.kv.as_ref()).for_each(|kv| arrivals.arrived(&kv.value));
            }
        });
        Ok(())
    }

    async fn publisher(connection: Connection) -> Result<SendRequest<Bytes>> {
        client(connection).await
    }

    async fn publish(publisher: &mut SendRequest<Bytes>, update: &[u8]) -> Result<()> {
        let put = PutRequest { key: KEY.to_vec(), value: update.to_vec() };
        let (_, mut responses) = call(publisher, "/etcdserverpb.KV/Put", &put, true).await?;
        responses.next::<PutResponse>().await.map(drop)
    }
}

/// The messages of etcd's `rpc.proto`, as far as they are needed here; other fields are passed over.
#[derive(Clone, PartialEq, Message)]
struct WatchRequest {
    #[prost(message, optional, tag = "1")]
    create_request: Option<WatchCreateRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct WatchCreateRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct WatchResponse {
    #[prost(bool, tag = "3")]
    created: bool,
    #[prost(message, repeated, tag = "11")]
    events: Vec<Event>,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(message, optional, tag = "2")]
    kv: Option<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(bytes = "bytes", tag = "5")]
    value: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct PutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct PutResponse {}

async fn client(connection: Connection) -> Result<SendRequest<Bytes>> {
    let (client, driver) = h2::client::handshake(connection).await?;
    // It ends with the connection; a subscriber that lost it is missed when the update does not arrive.
    tokio::spawn(async move { driver.await.ok() });
    Ok(client.ready().await?)
}

/// Calls a method with one message, which may be the last one.
async fn call(
    client: &mut SendRequest<Bytes>,
    path: &str,
    message: &impl Message,
    is_last: bool,
) -> Result<(SendStream<Bytes>, Responses)> {
    let request = Request::post(format!("https://127.0.0.1{path}"));
    let request = request.header("content-type", "application/grpc").header("te", "trailers").body(())?;
    let (response, mut requests) = client.send_request(request, false)?;
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.encoded_len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.encoded_len())?);
    message.encode(&mut framed)?;
    requests.send_data(framed.freeze(), is_last)?;
    let response = response.await?;
    ensure!(response.status().is_success(), "etcd answers {}", response.status());
    if let Some(status) = response.headers().get("grpc-status").filter(|status| status.as_bytes() != b"0") {
        bail!("etcd answers {status:?}");
    }
    Ok((requests, Responses { stream: response.into_body(), received: BytesMut::new() }))
}

/// What comes back.
struct Responses {
    stream: RecvStream,
    received: BytesMut,
}

impl Responses {
    /// The next message.
    async fn next<M: Message + Default>(&mut self) -> Result<M> {
        loop {
            if let Some(message) = take_message(&mut self.received)? {
                return Ok(M::decode(message)?);
            }
            let data = self.stream.data().await.context("etcd ends a stream")??;
            self.stream.flow_control().release_capacity(data.len())?;
            self.received.extend_from_slice(&data);
        }
    }
}

/// Takes the first message out of what was received, when all of it is there.
fn take_message(received: &mut BytesMut) -> Result<Option<BytesMut>> {
    let Some((prefix, rest)) = received.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let [compressed, length @ ..] = *prefix;
    ensure!(compressed == 0, "a message is compressed");
    let length = usize::try_from(u32::from_be_bytes(length))?;
    if rest.len() < length {
        return Ok(None);
    }
    received.advance(PREFIX_BYTES);
    Ok(Some(received.split_to(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_when_all_of_it_is_there() {
        let mut received = BytesMut::from(&[0, 0, 0, 0, 2, 7][..]);
        assert!(take_message(&mut received).unwrap().is_none());
        received.put_slice(&[8, 0]);
        assert_eq!(take_message(&mut received).unwrap().unwrap().to_vec(), [7, 8]);
        assert_eq!(received.to_vec(), [0]);
    }
}
