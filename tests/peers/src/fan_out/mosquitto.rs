//! mosquitto: MQTT 3.1.1 subscriptions at QoS 1, each on a connection of its own.
//!
//! Deliberately only the six packets that this takes (OASIS MQTT 3.1.1, chapter 3), so that the client costs little.

use crate::fan_out::tls::Connection;
use crate::fan_out::{Arrivals, Peer};
use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BufMut, BytesMut};
use std::fs;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONNACK: u8 = 0x20;
const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const SUBACK: u8 = 0x90;
const TOPIC: &str = "doors/update";

/// The broker.
pub struct Mosquitto;

impl Peer for Mosquitto {
    const NAME: &'static str = "mosquitto";
    const PACKAGE: &'static str = "mosquitto";
    const PROGRAMS: &'static [&'static str] = &["mosquitto", "/usr/sbin/mosquitto"];
    const ASK_VERSION: &'static str = "-h";
    const ALPN: Option<&'static str> = None;
    type Publisher = Client;

    fn arguments(folder: &str, port: u16) -> Result<Vec<String>> {
        // Persistence as Debian switches it on. Started by root, it would otherwise give up the right to read the folder.
        let configuration = format!(
            "listener {port} 127.0.0.1\ncafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n\
             require_certificate true\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n\
             user root\nlog_type error\n"
        );
        let path = format!("{folder}/mosquitto.conf");
        fs::write(&path, configuration)?;
        Ok(vec!["-c".to_owned(), path])
    }

    async fn subscribe(connection: Connection, number: usize, arrivals: Arc<Arrivals>) -> Result<()> {
        let mut client = Client::connect(connection, &format!("door-{number}")).await?;
        client.subscribe().await?;
        tokio::spawn(async move {
            // Whoever loses the connection is missed when the update does not arrive.
            while let Ok(publication) = client.expect(PUBLISH_QOS_1).await {
                if take(&mut client, publication, &arrivals).await.is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    async fn publisher(connection: Connection) -> Result<Client> {
        Client::connect(connection, "authority").await
    }

    async fn publish(publisher: &mut Client, update: &[u8]) -> Result<()> {
        publisher.publish(update).await
    }
}

/// Counts the arrival of a publication, then acknowledges it.
async fn take(client: &mut Client, mut publication: BytesMut, arrivals: &Arrivals) -> Result<()> {
    let topic_length = publication.try_get_u16()?;
    ensure!(publication.len() >= usize::from(topic_length), "a publication without a topic");
    publication.advance(usize::from(topic_length));
    let id = publication.try_get_u16()?;
    arrivals.arrived(&publication);
    client.send(PUBACK, &id.to_be_bytes()).await
}

/// One connection to the broker.
pub struct Client {
    connection: Connection,
    received: BytesMut,
}

impl Client {
    async fn connect(connection: Connection, id: &str) -> Result<Self> {
        let mut client = Self { connection, received: BytesMut::new() };
        let mut body = BytesMut::new();
        put_text(&mut body, "MQTT")?;
        // Level 4 is 3.1.1; a clean session; no keep-alive.
        body.put_slice(&[4, 0b10, 0, 0]);
        put_text(&mut body, id)?;
        client.send(0x10, &body).await?;
        let answer = client.expect(CONNACK).await?;
        ensure!(answer.last() == Some(&0), "the broker refuses a connection");
        Ok(client)
    }

    async fn subscribe(&mut self) -> Result<()> {
        let mut body = BytesMut::new();
        body.put_u16(1);
        put_text(&mut body, TOPIC)?;
        body.put_u8(1);
        self.send(0x82, &body).await?;
        let answer = self.expect(SUBACK).await?;
        ensure!(answer.last() == Some(&1), "the broker refuses a subscription");
        Ok(())
    }

    async fn publish(&mut self, update: &[u8]) -> Result<()> {
        let mut body = BytesMut::new();
        put_text(&mut body, TOPIC)?;
        body.put_u16(1);
        body.put_slice(update);
        self.send(PUBLISH_QOS_1, &body).await?;
        self.expect(PUBACK).await?;
        Ok(())
    }

    async fn send(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let mut packet = BytesMut::with_capacity(body.len() + 5);
        packet.put_u8(kind);
        let mut length = body.len();
        while length >= 0x80 {
            packet.put_u8(u8::try_from(length % 0x80)? | 0x80);
            length /= 0x80;
        }
        packet.put_u8(u8::try_from(length)?);
        packet.put_slice(body);
        self.connection.write_all(&packet).await?;
        Ok(self.connection.flush().await?)
    }

    /// The body of the next packet, which must be of a kind.
    async fn expect(&mut self, kind: u8) -> Result<BytesMut> {
        loop {
            if let Some((found, body)) = take_packet(&mut self.received)? {
                ensure!(found == kind, "the broker sends a packet of kind {found:#x} instead of {kind:#x}");
                return Ok(body);
            }
            if self.connection.read_buf(&mut self.received).await? == 0 {
                bail!("the broker ends the connection");
            }
        }
    }
}

/// Takes the first packet out of what was received, when all of it is there.
fn take_packet(received: &mut BytesMut) -> Result<Option<(u8, BytesMut)>> {
    let mut header = received.iter();
    let Some(kind) = header.next().copied() else { return Ok(None) };
    let (mut length, mut shift) = (0_usize, 0_u32);
    loop {
        let Some(byte) = header.next().copied() else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
        ensure!(shift < 28, "a length is malformed");
    }
    let header_length = 1 + usize::try_from(shift / 7)?;
    if received.len() < header_length + length {
        return Ok(None);
    }
    received.advance(header_length);
    Ok(Some((kind, received.split_to(length))))
}

fn put_text(body: &mut BytesMut, text: &str) -> Result<()> {
    body.put_u16(u16::try_from(text.len()).context("a text is too long")?);
    body.put_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_taken_when_all_of_it_is_there() {
        let mut received = BytesMut::from(&[PUBLISH_QOS_1, 0x80, 0x01][..]);
        assert!(take_packet(&mut received).unwrap().is_none());
        received.put_bytes(7, 128);
        received.put_u8(PUBACK);
        let (kind, body) = take_packet(&mut received).unwrap().unwrap();
        assert_eq!((kind, body.len(), received.to_vec()), (PUBLISH_QOS_1, 128, vec![PUBACK]));
    }
}
